from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.naming import Kind, Naptr, NoAnswer, Record, Srv, Wanted, by_weight, locate

type Zone = dict[tuple[str, Kind], Sequence[Record]]


class Names:
    """Answers from a table, and remembers what was asked."""

    def __init__(self, zone: Zone, unanswered: Sequence[tuple[str, Kind]] = ()) -> None:
        self.zone = zone
        self.unanswered = unanswered
        self.asked: list[tuple[str, Kind]] = []

    def __call__(self, name: str, kind: Kind) -> Sequence[Record]:
        self.asked.append((name, kind))
        if (name, kind) in self.unanswered:
            raise NoAnswer(f"nobody answers about {name}")
        return self.zone.get((name, kind), ())


def first(highest: int) -> int:
    return 0


def find(
    wanted: Wanted, names: Names, transports: Sequence[str] = ("UDP", "TCP", "TLS"), families: Sequence[Kind] = ("A",)
) -> list[str]:
    return [str(address) for address in locate(wanted, names, transports=transports, families=families, draw=first)]


# RFC 3263 section 4.1 and 4.2, the example of section 4.4.
EXAMPLE: Zone = {
    ("example.com", "NAPTR"): [
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
    ],
    ("_sips._tcp.example.com", "SRV"): [Srv(0, 1, 5061, "secure.example.com")],
    ("_sip._tcp.example.com", "SRV"): [Srv(0, 1, 5060, "server1.example.com"), Srv(0, 2, 5060, "server2.example.com")],
    ("_sip._udp.example.com", "SRV"): [Srv(0, 1, 5070, "server1.example.com")],
    ("secure.example.com", "A"): ["192.0.2.9"],
    ("server1.example.com", "A"): ["192.0.2.1"],
    ("server2.example.com", "A"): ["192.0.2.2"],
}


def test_naptr_order_decides_among_the_transports_we_have() -> None:
    names = Names(EXAMPLE)
    assert find(Wanted("example.com"), names) == [
        "tls:192.0.2.9:5061",
        "tcp:192.0.2.1:5060",
        "tcp:192.0.2.2:5060",
        "udp:192.0.2.1:5070",
    ]
    assert find(Wanted("example.com"), names, ("UDP",)) == ["udp:192.0.2.1:5070"]
    assert find(Wanted("example.com"), names, ("UDP", "TCP"))[0] == "tcp:192.0.2.1:5060"


def test_sips_takes_secure_transports_only() -> None:
    names = Names(EXAMPLE)
    assert find(Wanted("example.com", secure=True), names) == ["tls:192.0.2.9:5061"]
    assert ("_sip._tcp.example.com", "SRV") not in names.asked


def test_without_naptr_srv_is_asked_for_every_transport_we_have() -> None:
    names = Names({key: value for key, value in EXAMPLE.items() if key[1] != "NAPTR"})
    assert find(Wanted("example.com"), names, ("UDP", "TCP"))[0] == "udp:192.0.2.1:5070"
    assert [name for name, kind in names.asked if kind == "SRV"] == ["_sip._udp.example.com", "_sip._tcp.example.com"]


def test_without_srv_the_host_itself_is_tried_at_the_standard_port() -> None:
    zone: Zone = {("example.com", "A"): ["192.0.2.1"]}
    assert find(Wanted("example.com"), Names(zone)) == ["udp:192.0.2.1:5060"]
    assert find(Wanted("example.com", secure=True), Names(zone)) == ["tls:192.0.2.1:5061"]
    assert find(Wanted("example.com", transport="TCP"), Names(zone)) == ["tcp:192.0.2.1:5060"]
    assert find(Wanted("example.com"), Names(zone), ("TCP",)) == ["tcp:192.0.2.1:5060"]


def test_a_port_forbids_naptr_and_srv() -> None:
    names = Names({**EXAMPLE, ("example.com", "A"): ["192.0.2.7"]})
    assert find(Wanted("example.com", port=5080), names) == ["udp:192.0.2.7:5080"]
    assert find(Wanted("example.com", port=5080, transport="TCP"), names) == ["tcp:192.0.2.7:5080"]
    assert find(Wanted("example.com", port=5080, secure=True), names) == ["tls:192.0.2.7:5080"]
    assert {kind for _, kind in names.asked} == {"A"}


def test_a_transport_forbids_naptr() -> None:
    names = Names(EXAMPLE)
    assert find(Wanted("example.com", transport="UDP"), names) == ["udp:192.0.2.1:5070"]
    assert ("example.com", "NAPTR") not in names.asked


def test_an_address_needs_no_question() -> None:
    names = Names({})
    assert find(Wanted("192.0.2.1"), names) == ["udp:192.0.2.1:5060"]
    assert find(Wanted("2001:db8::1", port=5070, transport="TCP"), names) == ["tcp:[2001:db8::1]:5070"]
    assert find(Wanted("192.0.2.1", secure=True), names) == ["tls:192.0.2.1:5061"]
    assert names.asked == []


def test_both_families_in_the_order_wanted() -> None:
    zone: Zone = {("a.example", "A"): ["192.0.2.1"], ("a.example", "AAAA"): ["2001:db8::1"]}
    wanted = Wanted("a.example", port=5060)
    assert find(wanted, Names(zone), families=("A", "AAAA")) == ["udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"]
    assert find(wanted, Names(zone), families=("AAAA", "A"))[0] == "udp:[2001:db8::1]:5060"


def test_the_root_as_srv_target_means_no_service() -> None:
    """RFC 2782."""
    zone: Zone = {("_sip._udp.a.example", "SRV"): [Srv(0, 0, 0, ".")], ("a.example", "A"): ["192.0.2.1"]}
    assert find(Wanted("a.example", transport="TCP"), Names(zone)) == ["tcp:192.0.2.1:5060"]


def test_naptr_records_of_others_are_passed_over() -> None:
    zone: Zone = {
        **EXAMPLE,
        ("example.com", "NAPTR"): [
            Naptr(1, 1, "u", "E2U+sip", ""),
            Naptr(2, 1, "a", "SIP+D2U", "server1.example.com"),
            Naptr(3, 1, "s", "SIP+D2X", "elsewhere.example.com"),
            Naptr(4, 1, "S", "sip+d2t", "_sip._tcp.example.com"),
        ],
    }
    assert find(Wanted("example.com"), Names(zone))[0] == "tcp:192.0.2.1:5060"


def test_a_question_without_an_answer_does_not_hide_what_others_answer() -> None:
    names = Names(EXAMPLE, [("example.com", "NAPTR"), ("_sip._udp.example.com", "SRV")])
    assert find(Wanted("example.com"), names, ("UDP", "TCP"))[0] == "tcp:192.0.2.1:5060"


def test_when_nothing_is_found_and_an_answer_was_missing_it_is_said() -> None:
    names = Names({}, [("a.example", "A")])
    for wanted in (Wanted("a.example"), Wanted("a.example", port=5060)):
        with pytest.raises(NoAnswer, match=r"nobody answers about a\.example"):
            find(wanted, names)
    assert find(Wanted("b.example"), Names({})) == []


def test_answers_without_end_are_bounded() -> None:
    zone: Zone = {
        ("a.example", "NAPTR"): [Naptr(n, 0, "s", "SIP+D2U", f"srv{n}.example") for n in range(1000)],
        **{(f"srv{n}.example", "SRV"): [Srv(0, 0, p, f"{p}.example") for p in range(1, 1000)] for n in range(1000)},
        **{(f"{p}.example", "A"): [f"192.0.2.{n}" for n in range(250)] for p in range(1000)},
    }
    names = Names(zone)
    assert len(find(Wanted("a.example"), names)) == 16
    assert len(names.asked) <= 1 + 8 + 16


def test_wanted_is_compared_by_value_and_checked() -> None:
    assert Wanted("Example.COM.") == Wanted("example.com")
    assert hash(Wanted("Example.COM.")) == hash(Wanted("example.com"))
    assert Wanted("example.com") != Wanted("example.com", port=5060)
    assert Wanted("a", transport="TCP", secure=True).transport == "TLS"
    assert Wanted("a", transport="WS", secure=True).transport == "WSS"
    with pytest.raises(ValueError, match="unknown transport 'tcp'"):
        Wanted("a", transport="tcp")
    with pytest.raises(ValueError, match="sips cannot be reached over UDP"):
        Wanted("a", transport="UDP", secure=True)


def test_weights_are_drawn_as_rfc_2782_says() -> None:
    records = [Srv(1, 3, 1, "three"), Srv(1, 1, 1, "one"), Srv(0, 0, 1, "before"), Srv(1, 0, 1, "zero")]
    draws = {0: "zero", 1: "one", 2: "three", 4: "three"}
    for number, expected in draws.items():
        ordered = by_weight(records, lambda highest, number=number: min(number, highest))  # type: ignore[misc]
        assert [record.target for record in ordered][:2] == ["before", expected]


def test_shares_follow_the_weights() -> None:
    records = [Srv(0, 60, 1, "large"), Srv(0, 20, 1, "small"), Srv(0, 20, 1, "other")]
    firsts = [by_weight(records, lambda highest, n=n: n % (highest + 1))[0].target for n in range(101)]  # type: ignore[misc]
    assert firsts.count("large") == 60
    assert firsts.count("small") == 21, "the number 0 falls to the first"


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 65535), st.just(1), st.text("abc", min_size=1))),
    st.randoms(use_true_random=False),
)
def test_ordering_loses_and_invents_nothing(records: list[Srv], chance: object) -> None:
    draw = getattr(chance, "randint")  # noqa: B009
    ordered = by_weight(records, lambda highest: int(draw(0, highest)))
    assert sorted(map(id, ordered)) == sorted(map(id, records))
    assert [record.priority for record in ordered] == sorted(record.priority for record in records)

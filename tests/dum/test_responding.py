"""Where a response goes: RFC 3261 18.2.2 and RFC 3581, by transport, maddr, rport and the port of sent-by."""

from types import SimpleNamespace

import pytest

from dum.effects import Hop
from dum.message import Request
from dum.responding import destination_of


def flow(transport: str = "UDP", host: str = "192.0.2.2", port: int = 40000) -> SimpleNamespace:
    remote = SimpleNamespace(host=host, port=port)
    return SimpleNamespace(reliable=transport != "UDP", transport=transport, remote=remote)


def request(via: str) -> Request:
    fields = [
        ("Via", via),
        ("From", "<sip:a@h>;tag=1"),
        ("To", "<sip:b@h>"),
        ("Call-ID", "c"),
        ("CSeq", "1 OPTIONS"),
    ]
    return Request.build("OPTIONS", "sip:h", fields)


@pytest.mark.parametrize("via", ["SIP/2.0/TCP h", "SIP/2.0/TCP h:9;maddr=192.0.2.9", "SIP/2.0/TCP h;rport"])
def test_a_reliable_transport_answers_on_the_same_connection(via: str) -> None:
    connection = flow("TCP")
    assert destination_of(request(f"{via};branch=z9hG4bK1"), connection) is connection


@pytest.mark.parametrize(
    ("via", "host", "port"),
    [
        ("SIP/2.0/UDP h", "192.0.2.2", 5060),
        ("SIP/2.0/UDP h:5070", "192.0.2.2", 5070),
        ("SIP/2.0/UDP h:5070;maddr=192.0.2.9", "192.0.2.9", 5070),
        ("SIP/2.0/UDP h;maddr=192.0.2.9;rport", "192.0.2.9", 5060),
    ],
)
def test_to_the_port_of_sent_by_or_to_maddr(via: str, host: str, port: int) -> None:
    came_by = flow()
    found = destination_of(request(f"{via};branch=z9hG4bK1"), came_by)
    assert isinstance(found, Hop)
    assert (found.transport, found.host, found.port, found.flow) == ("UDP", host, port, came_by)


@pytest.mark.parametrize("via", ["SIP/2.0/UDP h;rport", "SIP/2.0/UDP h:5070;rport", "SIP/2.0/UDP h:40000"])
def test_back_to_where_it_came_from(via: str) -> None:
    came_by = flow()
    stamped = request(f"{via};branch=z9hG4bK1").with_received("192.0.2.2", 40000)
    assert destination_of(stamped, came_by) is came_by


def test_an_ipv6_source() -> None:
    found = destination_of(request("SIP/2.0/UDP h:5070;branch=z9hG4bK1"), flow(host="2001:db8::2"))
    assert isinstance(found, Hop)
    assert (found.host, found.port, found.place) == ("2001:db8::2", 5070, "UDP6")


def test_a_via_that_cannot_be_read_is_answered_where_it_came_from() -> None:
    came_by = flow()
    assert destination_of(request("SIP/2.0/UDP h;rport=abc;branch=z9hG4bK1"), came_by) is came_by

import pytest

from dum.message import HeaderError
from dum.message.routing import read_cseq, read_routing, read_tag, read_top_via
from tests.dum.message.examples import invite


def routing(*lines: str, **replaced: str) -> tuple[object, ...]:
    head = invite(*lines, body=b"", **replaced).partition(b"\r\n\r\n")[0].decode()
    return read_routing(head, "INVITE")


def test_every_field_from_an_oddly_spelt_head() -> None:
    head = (
        "INVITE sip:b SIP/2.0\r\nf :<sip:a@b>\r\n ; tag\r\n = x1\r\nT:sip:c@d;TAG=y2\r\ni\r\n : id\r\n"
        "cSEQ: 007\r\n\tINVITE\r\nV: SIP / 2.0 / UDP [2001:DB8::1] : 05060 ; BRANCH = b, x\r\nL: 09"
    )
    assert read_routing(head, "INVITE") == ("id", 7, "INVITE", "x1", "y2", "b", "[2001:db8::1]:5060", 9)


@pytest.mark.parametrize("name", ["via", "from", "to", "call_id", "cseq"])
def test_missing(name: str) -> None:
    with pytest.raises(HeaderError, match="Missing"):
        routing(**{name: ""})


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("t: <sip:x@y>", "To"),
        ("f: <sip:x@y>", "From"),
        ("I: y", "Call-ID"),
        ("cseq: 2 INVITE", "CSeq"),
        ("MAX-FORWARDS: 70", "Max-Forwards"),
    ],
)
def test_repeated(line: str, header: str) -> None:
    with pytest.raises(HeaderError, match="Repeated") as caught:
        routing(line)
    assert caught.value.header == header


def test_content_length_may_repeat_if_it_agrees() -> None:
    assert routing("l: 0")[7] == 0
    with pytest.raises(HeaderError, match="Conflicting"):
        routing("l: 1")


@pytest.mark.parametrize(
    "value", ["INVITE", "1", "1INVITE", "-1 INVITE", "1 INV ITE", "2147483648 INVITE", "1 INVITE,"]
)
def test_bad_cseq(value: str) -> None:
    with pytest.raises(HeaderError):
        read_cseq(value)


def test_the_largest_cseq() -> None:
    """RFC 3261 section 8.1.1.5."""
    assert read_cseq("2147483647 INVITE") == (2**31 - 1, "INVITE")


@pytest.mark.parametrize("value", ["", ",", "SIP/2.0/UDP", 'SIP/2.0/UDP h;a="b', "SIP/2.0/UDP h:0x10"])
def test_bad_top_via(value: str) -> None:
    with pytest.raises(HeaderError, match="Bad Via"):
        read_top_via(value)


def test_only_the_top_via_is_judged() -> None:
    assert read_top_via("SIP/2.0/UDP h;branch=a, rubbish") == ("a", "h")


def test_a_tag_in_quotes_is_no_tag() -> None:
    assert read_tag('"a;tag=no" <sip:a@b;tag=no>;x=";tag=no";tag=yes', "From") == "yes"
    assert read_tag("sip:a@b", "From") == ""
    with pytest.raises(HeaderError, match="Bad To"):
        read_tag("<sip:a@b>;;tag=1", "To")


@pytest.mark.parametrize("parameters", [";tag=", ";tag", ";tag=1;Tag=2", ";tag=;tag=1"])
def test_a_tag_is_there_once_and_not_empty(parameters: str) -> None:
    with pytest.raises(HeaderError, match="Bad To"):
        read_tag(f"<sip:a@b>{parameters}", "To")


def test_a_branch_is_there_once() -> None:
    assert read_top_via("SIP/2.0/UDP h;branch") == ("", "h")
    with pytest.raises(HeaderError, match="Bad Via"):
        read_top_via("SIP/2.0/UDP h;branch=a;Branch=b")


@pytest.mark.parametrize("line", ["no colon", "Bad Name: x", ": x", "Bär: x", "X: a\nb", "X: a\rb", "\x00: x"])
def test_what_is_no_header_line(line: str) -> None:
    with pytest.raises(HeaderError, match="Bad Header Line"):
        routing(line)


def test_call_id_has_no_blank() -> None:
    with pytest.raises(HeaderError, match="Bad Call-ID"):
        routing(call_id="a b")

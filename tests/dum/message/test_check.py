import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum.message import Request, parse
from dum.message.check import fault_of, is_sound
from tests.dum.message.examples import invite, request
from tests.fuzz.grammar import messages, mutated


def fault(*lines: str, **replaced: str) -> tuple[int, str]:
    found = request(invite(*lines, body=b"", **replaced)).check()
    return (0, "") if found is None else (found.status, found.header)


@settings(max_examples=150, deadline=None)
@given(st.one_of(messages(), mutated(messages()), mutated(st.just(invite("Route: <sip:p1;lr>, <sip:p2;lr>")))))
def test_what_the_pattern_finds_sound_reads_without_fault(data: bytes) -> None:
    message = parse(data)
    if isinstance(message, Request) and is_sound(message.encode()):
        assert fault_of(message) is None


def test_the_usual_request_is_found_sound() -> None:
    for data in (
        invite("Route: <sip:p1;lr>, <sip:p2;lr>", "Expires: 60"),
        invite(contact='"A, B" <sip:a@[::1]:5060;transport=tcp>;q=0.5;+sip.instance="<urn:uuid:1>"', to="sip:b@c;x=y"),
        invite("Via: SIP/2.0/TCP a;branch=b;received=[::1], SIP/2.0/TLS c", start="ACK sip:b;lr SIP/2.0", cseq="2 ACK"),
    ):
        assert is_sound(data)
        assert fault_of(request(data)) is None


def test_a_good_request_has_no_fault() -> None:
    assert fault("Route: <sip:p1;lr>, <sip:p2;lr>", "Expires: 60") == (0, "")


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("Route: <sip:p1;lr", "Route"),
        ("Route: sip", "Route"),
        ("Record-Route: <sip:p1>;;", "Record-Route"),
        ("Expires: soon", "Expires"),
        ("Expires: 4294967296", "Expires"),
        ("Contact: <sip:a b@c>", "Contact"),
        ("Contact: <sip:a@b>, ,;", "Contact"),
        ("Via: SIP/2.0/UDP", "Via"),
        ("Via: HTTP/1.1 host", "Via"),
    ],
)
def test_a_broken_header_is_named_and_answered_with_400(line: str, header: str) -> None:
    assert fault(line) == (400, header)


@pytest.mark.parametrize("value", ["256", "-1", "many", "7 0"])
def test_max_forwards_is_a_small_number(value: str) -> None:
    assert fault(max_forwards=value) == (400, "Max-Forwards")


@pytest.mark.parametrize("uri", ["sip:", "sip:@host", "sip:a@b@c", "sip:host:99999", "sip:%zz@host", "bob"])
def test_a_broken_request_uri(uri: str) -> None:
    assert fault(start=f"INVITE {uri} SIP/2.0") == (400, "")


def test_a_request_uri_must_not_carry_headers() -> None:
    """RFC 3261 section 19.1.1, table 1."""
    assert fault(start="INVITE sip:bob@example.net?Subject=x SIP/2.0") == (400, "")


def test_an_unknown_scheme_is_no_fault_of_the_message() -> None:
    """The user agent answers it with 416 (RFC 4475 section 3.3.2)."""
    assert fault(start="INVITE nobody:knows SIP/2.0") == (0, "")


def test_a_broken_from_uri_is_found_though_parse_let_it_pass() -> None:
    assert fault(from_="<sip:>;tag=1") == (400, "From")


def test_star_needs_expires_0() -> None:
    """RFC 3261 section 10.3 step 6."""

    def register(*lines: str) -> tuple[int, str]:
        return fault(*lines, start="REGISTER sip:example.net SIP/2.0", cseq="2 REGISTER", contact="*")

    assert register() == (400, "Contact")
    assert register("Expires: 60") == (400, "Contact")
    assert register("Expires: 0") == (0, "")
    assert register("Expires: 0", "Contact: <sip:a@b>") == (400, "Contact")

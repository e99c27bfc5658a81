"""The requests beside an INVITE: what they repeat of it, byte for byte, and what they leave out."""

import pytest

from dum.transaction.companion import companion, without_body
from tests.dum.transaction.virtual_time import parsed_request, request

INVITE = request("INVITE", b"v=0\r\n")


def edited(old: bytes, new: bytes) -> bytes:
    """The INVITE with one part replaced."""
    assert old in INVITE
    return INVITE.replace(old, new)


def test_the_parts_that_are_repeated() -> None:
    made = parsed_request(companion(INVITE, b"CANCEL"))
    invite = parsed_request(INVITE)
    assert made.method == made.cseq_method == "CANCEL"
    for part in ("request_uri", "call_id", "cseq", "from_tag", "to_tag", "branch", "sent_by", "routes", "vias"):
        assert getattr(made, part) == getattr(invite, part), part
    assert made.header("From") == invite.header("From")
    assert made.header("To") == invite.header("To")


def test_nothing_else_is_repeated() -> None:
    made = parsed_request(companion(INVITE, b"ACK"))
    names = [name for name, _ in made.fields]
    assert names == ["Via", "Max-Forwards", "Route", "From", "To", "Call-ID", "CSeq", "Content-Length"]
    assert made.max_forwards == 70
    assert made.body == b""


def test_the_header_alone_is_enough() -> None:
    header = without_body(INVITE)
    assert header + b"v=0\r\n" == INVITE
    assert companion(header, b"ACK") == companion(INVITE, b"ACK")


def test_a_body_with_blank_lines_and_header_lines_is_not_mistaken_for_the_header() -> None:
    body = b"\r\n\r\nVia: SIP/2.0/UDP elsewhere\r\n\r\n"
    assert companion(request("INVITE", body), b"ACK") == companion(INVITE, b"ACK")
    assert without_body(request("INVITE", body)).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("via", "top"),
    [
        (b"Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK2", b"SIP/2.0/UDP a;branch=z9hG4bK1"),
        (b"v:SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/UDP b;branch=z9hG4bK2", b"SIP/2.0/UDP a;branch=z9hG4bK1"),
        (b'VIA : SIP/2.0/UDP a;x="1,2";branch=z9hG4bK1, SIP/2.0/UDP b', b'SIP/2.0/UDP a;x="1,2";branch=z9hG4bK1'),
        (b"Via: SIP/2.0/UDP a\r\n ;branch=z9hG4bK1\r\n\t, SIP/2.0/UDP b", b"SIP/2.0/UDP a ;branch=z9hG4bK1"),
    ],
    ids=["two lines", "one line", "quoted comma", "folded"],
)
def test_only_the_topmost_via(via: bytes, top: bytes) -> None:
    invite = edited(b"Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds", via)
    assert companion(invite, b"ACK").split(b"\r\n")[1] == b"Via: " + top


def test_several_route_lines_keep_their_order() -> None:
    invite = edited(b"<sip:p1.example.com;lr>, <sip:p2", b"<sip:p1.example.com;lr>\r\nroute: <sip:p2")
    made = parsed_request(companion(invite, b"ACK"))
    assert [str(route) for route in made.routes] == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]


def test_no_route_without_route() -> None:
    invite = edited(b"Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n", b"")
    assert b"Route" not in companion(invite, b"ACK")


def test_another_to_and_more_lines() -> None:
    made = parsed_request(companion(INVITE, b"ACK", to=b"<sip:bob@b>;tag=7", more=[b"Reason: SIP;cause=200"]))
    assert made.header("To") == "<sip:bob@b>;tag=7"
    assert made.header("Reason") == "SIP;cause=200"


def test_octets_that_are_no_utf8_survive() -> None:
    invite = edited(b"f: Alice", b"f: \xff\xfe")
    assert b"From: \xff\xfe <sip:alice" in companion(invite, b"ACK")


def test_a_request_without_a_required_field_is_named() -> None:
    with pytest.raises(ValueError, match="request without call-id: INVITE sip:bob"):
        companion(edited(b"Call-ID: a84b4c76e66710\r\n", b""), b"ACK")

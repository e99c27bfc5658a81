import pytest

from dum.message import HeaderError
from dum.message.sipfrag import encode_sipfrag, parse_sipfrag


def test_a_status_line_alone() -> None:
    """RFC 3515 section 2.4.5."""
    fragment = parse_sipfrag(b"SIP/2.0 200 OK\r\n")
    assert (fragment.status, fragment.reason, fragment.fields) == (200, "OK", ())
    assert parse_sipfrag(b"SIP/2.0 100 Trying").status == 100
    assert parse_sipfrag(encode_sipfrag(503)).reason == "Service Unavailable"


def test_a_whole_request_and_a_few_fields() -> None:
    fragment = parse_sipfrag(b"INVITE sip:a@b SIP/2.0\r\nFrom: x\r\nm: y\r\n\r\nbody")
    assert (fragment.method, fragment.request_uri, fragment.header("contact"), fragment.body) == (
        "INVITE",
        "sip:a@b",
        "y",
        b"body",
    )
    fragment = parse_sipfrag(b"From: x\r\nTo: y")
    assert (fragment.status, fragment.fields) == (0, (("From", "x"), ("To", "y")))
    assert fragment.header("contact") is None
    assert parse_sipfrag(b"").fields == ()


@pytest.mark.parametrize("data", [b"SIP/2.0 999 x", b"rubbish", b"IN VITE x SIP/2.0"])
def test_broken(data: bytes) -> None:
    with pytest.raises(HeaderError):
        parse_sipfrag(data)


def test_a_bad_status_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="between 100 and 699"):
        encode_sipfrag(99)

import pytest

from dum.message import Response, parse

FIELDS = [
    ("Via", "SIP/2.0/UDP host;branch=z9hG4bKa"),
    ("From", "<sip:a@b>;tag=1"),
    ("To", "<sip:c@d>;tag=2"),
    ("Call-ID", "x"),
    ("CSeq", "1 OPTIONS"),
]


def test_build_and_parse_agree() -> None:
    made = Response.build(200, None, FIELDS, b"hello")
    assert made.encode().startswith(b"SIP/2.0 200 OK\r\nVia: ")
    assert b"\r\nContent-Length: 5\r\n\r\nhello" in made.encode()
    read = parse(made.encode())
    assert isinstance(read, Response)
    assert read == made
    assert (read.status, read.reason, read.to_tag, read.cseq_method) == (200, "OK", "2", "OPTIONS")
    assert (made.call_id, made.from_tag, made.branch, made.sent_by) == ("x", "1", "z9hG4bKa", "host")


def test_any_phrase() -> None:
    assert Response.build(486, "Très occupé", FIELDS).reason == "Très occupé"
    assert Response.build(486, "", FIELDS).reason == ""
    assert Response.build(499, None, FIELDS).reason == "Bad Request"


@pytest.mark.parametrize(("status", "reason"), [(99, None), (700, None), (200, "OK\r\nX: y")])
def test_the_callers_mistakes(status: int, reason: str | None) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Response.build(status, reason, FIELDS)


def test_missing_routing_fields() -> None:
    with pytest.raises(ValueError, match="Missing To"):
        Response.build(200, None, [pair for pair in FIELDS if pair[0] != "To"])


def test_changes() -> None:
    made = Response.build(200, None, FIELDS)
    assert made.with_fields({"X": "1"}).header("x") == "1"
    assert made.with_fields({"To": "<sip:c@d>;tag=9"}).to_tag == "9"
    assert made.with_fields({"Via": "SIP/2.0/UDP other"}).status == 200

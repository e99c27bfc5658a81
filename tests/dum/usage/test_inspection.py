"""What a request has to pass before a usage sees it (RFC 3261 section 8.2)."""

import pytest

from dum.message import Request, parse
from dum.profile import KNOWN_METHODS, Profile
from dum.usage.inspection import refusal


def request(method: str = "INVITE", *lines: str, uri: str = "sip:bob@192.0.2.4", body: bytes = b"") -> Request:
    """A request outside a dialog, with some more header fields."""
    fields = [
        f"{method} {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776asdhds",
        "To: <sip:bob@192.0.2.4>",
        "From: <sip:alice@192.0.2.1>;tag=1928301774",
        "Call-ID: a84b4c76e66710",
        f"CSeq: 1 {method}",
        "Contact: <sip:alice@192.0.2.1>",
        *lines,
        f"Content-Length: {len(body)}",
    ]
    message = parse("\r\n".join(fields).encode() + b"\r\n\r\n" + body)
    assert isinstance(message, Request)
    return message


def status(message: Request, profile: Profile | None = None) -> int:
    """The status that refuses a request, 0 when it may pass."""
    refused = refusal(message, profile or Profile())
    return 0 if refused is None else refused[0]


@pytest.mark.parametrize(("method", "expected"), [("REGISTER", 405), ("PING", 501), ("OPTIONS", 0), ("invite", 501)])
def test_methods(method: str, expected: int) -> None:
    refused = refusal(request(method), Profile())
    assert (refused[0] if refused else 0) == expected
    if refused:
        assert dict(refused[1])["Allow"].startswith("INVITE, ACK")


@pytest.mark.parametrize(("uri", "expected"), [("tel:+1", 416), ("SIP:bob@192.0.2.4", 0), ("sips:bob@192.0.2.4", 0)])
def test_schemes(uri: str, expected: int) -> None:
    assert status(request(uri=uri)) == expected


def test_extensions() -> None:
    message = request("INVITE", "Require: 100rel, timer", "Require: gruu")
    assert refusal(message, Profile()) == (
        420,
        (("Unsupported", "100rel"), ("Unsupported", "timer"), ("Unsupported", "gruu")),
    )
    assert status(message, Profile(supported=("100rel", "timer", "gruu"))) == 0
    assert status(request("CANCEL", "Require: 100rel")) == 0


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("Content-Type: application/sdp",), 0),
        (("Content-Type: Application/SDP;charset=utf-8",), 0),
        (("Content-Type: text/plain",), 415),
        (("Content-Type: text/plain", "Content-Disposition: render; handling=optional"), 0),
        (("Content-Type: application/sdp", "Content-Encoding: gzip"), 415),
        (("Content-Type: application/sdp", "Content-Encoding: identity"), 0),
    ],
)
def test_bodies(lines: tuple[str, ...], expected: int) -> None:
    assert status(request("INVITE", *lines, body=b"v=0\r\n")) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/sdp", 0),
        ("text/plain, application/SDP ;level=1", 0),
        ("application/*", 0),
        ("*/*;q=0.1", 0),
        ("text/*", 406),
        ("", 406),
    ],
)
def test_what_the_caller_accepts(accept: str, expected: int) -> None:
    assert status(request("INVITE", f"Accept: {accept}")) == expected
    assert status(request("OPTIONS", f"Accept: {accept}")) == 0


@pytest.mark.parametrize("line", ['Require: "100rel', 'Accept: "application/sdp', "Accept: <application/sdp"])
def test_a_header_that_cannot_be_read(line: str) -> None:
    assert status(request("INVITE", line)) == 400


def test_the_order_is_method_scheme_extension_body() -> None:
    faults = ("Require: foo", "Content-Type: text/plain")
    asked = [
        request("FOO", *faults, uri="tel:1", body=b"x"),
        request("INVITE", *faults, uri="tel:1", body=b"x"),
        request("INVITE", *faults, body=b"x"),
        request("INVITE", faults[1], body=b"x"),
        request("INVITE", faults[1]),
    ]
    assert [status(message) for message in asked] == [501, 416, 420, 415, 0]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("Content-Type: text/plain", (("Accept", "application/sdp"),)),
        ("Content-Encoding: gzip", (("Accept-Encoding", "identity"),)),
    ],
)
def test_a_refused_body_is_told_what_would_be_understood(line: str, fields: tuple[tuple[str, str], ...]) -> None:
    """8.2.3."""
    assert refusal(request("INVITE", line, body=b"x"), Profile()) == (415, fields)


@pytest.mark.parametrize("method", sorted(KNOWN_METHODS - set(Profile().allow)))
def test_every_known_method_that_is_not_allowed_gets_405(method: str) -> None:
    assert status(request(method)) == 405

from pathlib import Path

import pytest

from dum.message import HeaderError, Request, parse
from dum.message.multipart import Part, body_of_type, encode_multipart, parse_multipart
from tests.dum.message.examples import invite, request

SDP = Part([("Content-Type", "application/sdp")], b"v=0\r\n")
TEXT = Part([], b"hello\r\n\r\nthere")


def test_parts_come_back() -> None:
    body = encode_multipart([SDP, TEXT], "x y")
    parts = parse_multipart(body, 'multipart/mixed;boundary="x y"')
    assert parts == (SDP, TEXT)
    assert [part.content_type for part in parts] == ["application/sdp", "text/plain"]
    assert parts[0].header("c") == "application/sdp"
    assert parts[1].header("c") is None
    assert hash(parts[0]) == hash(SDP)


def test_preamble_epilogue_and_blanks_after_a_boundary() -> None:
    body = b"before\r\n--b \t\r\n\r\none\r\n--b\r\nX: y\r\n\r\n\r\n--b--\r\nafter"
    assert [part.body for part in parse_multipart(body, "multipart/mixed;boundary=b")] == [b"one", b""]


def test_a_longer_boundary_within_is_no_boundary() -> None:
    inner = encode_multipart([TEXT], "bb")
    body = encode_multipart([SDP], "zz").replace(b"zz", b"b").removesuffix(b"--b--\r\n")
    body += b"--b\r\nContent-Type: multipart/mixed;boundary=bb\r\n\r\n" + inner + b"\r\n--b--"
    parts = parse_multipart(body, "multipart/mixed;boundary=b")
    assert parse_multipart(parts[1].body, "multipart/mixed;boundary=bb") == (TEXT,)


def test_rfc_4475_mpart01() -> None:
    data = Path(__file__).parents[2].joinpath("conformance", "data", "rfc4475", "mpart01.dat").read_bytes()
    message = parse(data)
    assert isinstance(message, Request)
    text, signature = parse_multipart(message.body, message.header("Content-Type") or "")
    assert (text.body, signature.content_type, len(signature.body)) == (b"Hello", "application/octet-stream", 342)
    assert body_of_type(message, "text/plain") == b"Hello"


def test_a_body_by_its_type() -> None:
    inner = encode_multipart([TEXT, SDP], "inner")
    outer = encode_multipart([Part([("Content-Type", "multipart/alternative;boundary=inner")], inner)], "outer")
    message = request(invite(content_type="multipart/mixed;boundary=outer", body=outer))
    assert body_of_type(message, "Application/SDP") == SDP.body
    assert body_of_type(message, "image/png") is None
    assert body_of_type(request(invite()), "application/sdp") == request(invite()).body
    assert body_of_type(request(invite(body=b"")), "application/sdp") is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--b\r\n\r\nx\r\n", "multipart/mixed;boundary=b"),
        (b"", "multipart/mixed;boundary=b"),
        (b"--b--\r\n", "multipart/mixed;boundary=b"),
        (b"--b\r\nno empty line\r\n--b--", "multipart/mixed;boundary=b"),
        (b"--b\r\n\r\nx\r\n--b--", "multipart/mixed"),
        (b"--b\r\n\r\nx\r\n--b--", 'multipart/mixed;boundary=""'),
        (b"\r\n--b\r\n\r\nx" * 65 + b"\r\n--b--", "multipart/mixed;boundary=b"),
    ],
)
def test_broken(body: bytes, kind: str) -> None:
    with pytest.raises(HeaderError) as caught:
        parse_multipart(body, kind)
    assert caught.value.header == "Content-Type"


def test_nesting_is_followed_to_a_bounded_depth() -> None:
    body, kind = SDP.body, "application/sdp"
    for depth in range(6):
        body = encode_multipart([Part([("Content-Type", kind)], body)], f"b{depth}x")
        kind = f"multipart/mixed;boundary=b{depth}x"
    assert body_of_type(request(invite(content_type=kind, body=body)), "application/sdp") is None


@pytest.mark.parametrize(
    ("parts", "boundary"),
    [([SDP], ""), ([SDP], "a\r\n"), ([Part([], b"--b")], "b"), ([], "b"), ([Part([("X", "a\r\nb")], b"")], "b")],
)
def test_the_callers_mistakes(parts: list[Part], boundary: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encode_multipart(parts, boundary)

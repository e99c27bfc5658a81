"""Bodies of several parts (RFC 2046 section 5.1, RFC 5621)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dum.message.errors import HeaderError
from dum.message.fields import canonical, split_fields
from dum.message.message import Message
from dum.message.values import Value

_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,\-./:=? ]{0,69}[A-Za-z0-9'()+_,\-./:=?]")
_DEEPEST = 4
_MOST = 64


class Part:
    """One part: ``fields`` (name, value) pairs, and ``body``. Immutable; safe to share between threads."""

    __slots__ = ("body", "fields")

    def __init__(self, fields: Iterable[tuple[str, str]], body: bytes) -> None:
        self.fields = tuple(fields)
        self.body = body

    def header(self, name: str) -> str | None:
        """The first field of that name, None when absent."""
        wanted = canonical(name)
        for key, value in self.fields:
            if canonical(key) == wanted:
                return value
        return None

    @property
    def content_type(self) -> str:
        """Type and subtype in lower case without parameters; text/plain when none is given."""
        text = self.header("Content-Type") or "text/plain"
        return "".join(text.partition(";")[0].split()).lower()

    def __eq__(self, other: object) -> bool:
        return (self.fields, self.body) == (other.fields, other.body) if isinstance(other, Part) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.fields, self.body))


def parse_multipart(body: bytes, content_type: str) -> tuple[Part, ...]:
    """The parts of a multipart body whose Content-Type value (with its boundary) is given.

    Preamble and epilogue are dropped. Raises HeaderError (header Content-Type) without a usable boundary, without any
    part, without the closing line, or with more than 64 parts.
    """
    boundary = Value.parse(content_type, "Content-Type").parameters.get("boundary") or ""
    if _BOUNDARY.fullmatch(boundary) is None:
        raise HeaderError("Bad Multipart Boundary", "Content-Type")
    # A longer boundary of a part within may begin with this one, so the line must end with it.
    lines = re.finditer(rb"(?:\A|\r\n)--%b(--)?[ \t]*+(?=\r\n|\Z)" % re.escape(boundary.encode("ascii")), body)
    parts: list[Part] = []
    start = -1
    for line in lines:
        if start >= 0:
            head, found, content = body[start : line.start()].partition(b"\r\n\r\n")
            if not found or len(parts) == _MOST:
                break
            parts.append(Part(split_fields(head.decode("utf-8", "surrogateescape")), content))
        start = line.end()
        if line[1] and parts:
            return tuple(parts)
    raise HeaderError("Bad Multipart Body", "Content-Type")


def encode_multipart(parts: Iterable[Part], boundary: str) -> bytes:
    """The parts as a body. Raises ValueError for a boundary that is no boundary, or that occurs in a part."""
    if _BOUNDARY.fullmatch(boundary) is None:
        raise ValueError(f"{boundary!r} is no multipart boundary (RFC 2046 section 5.1.1)")
    pieces: list[bytes] = []
    marker = b"--" + boundary.encode("ascii")
    for part in parts:
        for name, value in part.fields:
            if "\r" in value or "\n" in value or ":" in name:
                raise ValueError(f"the field {name!r} of a part holds a line break or colon")
        head = "".join([f"{name}: {value}\r\n" for name, value in part.fields])
        if marker in part.body:
            raise ValueError("the boundary occurs in a part: choose another")
        pieces.append(marker + b"\r\n" + head.encode("utf-8", "surrogateescape") + b"\r\n" + part.body + b"\r\n")
    if not pieces:
        raise ValueError("a multipart body needs at least one part")
    return b"".join(pieces) + marker + b"--\r\n"


def body_of_type(message: Message, content_type: str) -> bytes | None:
    """The body of that type ("application/sdp"): the message's own or the first such part; None when there is none.

    Looks into nested multiparts to a bounded depth. Raises HeaderError for a multipart that is broken.
    """
    if not message.body:
        return None
    return _find(message.header("Content-Type") or "", message.body, content_type.lower(), _DEEPEST)


def _find(declared: str, body: bytes, wanted: str, depth: int) -> bytes | None:
    kind = "".join(declared.partition(";")[0].split()).lower()
    if kind == wanted:
        return body
    if depth == 0 or not kind.startswith("multipart/"):
        return None
    for part in parse_multipart(body, declared):
        found = _find(part.header("Content-Type") or "text/plain", part.body, wanted, depth - 1)
        if found is not None:
            return found
    return None

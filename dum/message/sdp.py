"""Session descriptions (RFC 8866): read, looked into, changed and encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

Attribute = tuple[str, str | None]

_LINE = re.compile(r"([a-z])=([^\r\n\x00]*)")
_ORIGIN = re.compile(r"(\S+) ([0-9]+) ([0-9]+) (\S+) (\S+) (\S+)")
_CONNECTION = re.compile(r"(\S+) (\S+) (\S+)")
_MEDIA = re.compile(r"([!-~]+) ([0-9]{1,5})(?:/([0-9]{1,5}))? (\S+)((?: \S+)+)", re.A)
_BANDWIDTH = re.compile(r"([^\s:]+):([0-9]{1,20})", re.A)
_SESSION_LETTERS = "siuepcbtrzka"
_MEDIA_LETTERS = "icbka"
_LARGEST = 65_536
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


class SdpError(ValueError):
    """A session description that does not follow RFC 8866, or that an operation cannot work with."""


class Origin:
    """The o= line: ``username``, ``session_id``, ``version`` (int), ``network``, ``family`` (IP4, IP6), ``address``."""

    __slots__ = ("address", "family", "network", "session_id", "username", "version")

    def __init__(
        self, username: str, session_id: str, version: int, network: str = "IN", family: str = "IP4", address: str = ""
    ) -> None:
        self.username = username
        self.session_id = session_id
        self.version = version
        self.network = network
        self.family = family
        self.address = address

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read the value of an o= line. Raises SdpError."""
        match = _ORIGIN.fullmatch(text)
        if match is None or len(match[3]) > 40 or not match[3].isascii():
            raise SdpError("bad o= line")
        return cls(match[1], match[2], int(match[3]), match[4], match[5], match[6])

    def same_session(self, other: Origin) -> bool:
        """Whether both are versions of one session (RFC 8866 section 5.2): all but the version agree."""
        return str(self.next(0)) == str(other.next(0))

    def next(self, version: int | None = None) -> Origin:
        """A copy with the version raised by one, or set."""
        version = self.version + 1 if version is None else version
        return Origin(self.username, self.session_id, version, self.network, self.family, self.address)

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} {self.network} {self.family} {self.address}"


class Section:
    """What a session and a media section share: ``lines``, every (letter, value) after the first, in order."""

    __slots__ = ("lines",)

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self.lines = tuple(lines)

    def value(self, letter: str) -> str | None:
        """The first line of that letter, None when absent."""
        for key, value in self.lines:
            if key == letter:
                return value
        return None

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Every a= line as (name, value), None for a flag."""
        return tuple([_attribute(value) for key, value in self.lines if key == "a"])

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name: "" for a flag, None when absent."""
        for key, value in self.attributes:
            if key == name:
                return value or ""
        return None

    @property
    def own_direction(self) -> str:
        """sendrecv, sendonly, recvonly or inactive if this section says so, else ""."""
        for name, value in self.attributes:
            if value is None and name in DIRECTIONS:
                return name
        return ""

    @property
    def connection(self) -> tuple[str, str, str] | None:
        """The first c= line as (network, family, address), None when absent."""
        text = self.value("c")
        match = None if text is None else _CONNECTION.fullmatch(text)
        return (match[1], match[2], match[3]) if match else None

    @property
    def bandwidths(self) -> tuple[tuple[str, int], ...]:
        """Every b= line as (type, kilobits a second)."""
        found = [_BANDWIDTH.fullmatch(value) for key, value in self.lines if key == "b"]
        return tuple([(match[1], int(match[2])) for match in found if match])

    def _directed(self, direction: str) -> list[tuple[str, str]]:
        kept = [line for line in self.lines if line[0] != "a" or line[1] not in DIRECTIONS]
        return [*kept, ("a", direction)] if direction else kept


class Media(Section):
    """One m= section: ``kind``, ``port``, ``ports`` (a count, usually 1), ``protocol``, ``formats``, and its lines."""

    __slots__ = ("formats", "kind", "port", "ports", "protocol")

    def __init__(
        self,
        kind: str,
        port: int,
        protocol: str,
        formats: Iterable[str],
        lines: Iterable[tuple[str, str]] = (),
        ports: int = 1,
    ) -> None:
        super().__init__(lines)
        self.kind = kind
        self.port = port
        self.ports = ports
        self.protocol = protocol
        self.formats = tuple(formats)

    @property
    def rejected(self) -> bool:
        """Whether the port is 0 and this is no bundled section (RFC 3264 section 6, RFC 8843)."""
        return self.port == 0 and self.attribute("bundle-only") is None

    def encoding(self, payload: str) -> str:
        """What a payload type stands for, in lower case: ``pcmu/8000``; "" for one neither mapped nor assigned."""
        for name, value in self.attributes:
            if name == "rtpmap" and value is not None:
                number, _, mapped = value.partition(" ")
                if number == payload:
                    mapped = mapped.strip().lower()
                    return mapped.removesuffix("/1") if mapped.count("/") == 2 else mapped
        return _assigned(payload)

    def with_direction(self, direction: str) -> Media:
        """A copy that says the direction itself."""
        return self.replaced(lines=self._directed(direction))

    def replaced(
        self,
        *,
        port: int | None = None,
        formats: Iterable[str] | None = None,
        lines: Iterable[tuple[str, str]] | None = None,
    ) -> Media:
        """A copy with another port, formats or lines."""
        return Media(
            self.kind,
            self.port if port is None else port,
            self.protocol,
            self.formats if formats is None else formats,
            self.lines if lines is None else lines,
            self.ports if port is None else 1,
        )

    def __str__(self) -> str:
        ports = f"/{self.ports}" if self.ports != 1 else ""
        first = f"m={self.kind} {self.port}{ports} {self.protocol} {' '.join(self.formats)}"
        return "\r\n".join([first, *(f"{key}={value}" for key, value in self.lines), ""])


class SessionDescription(Section):
    """A session description: ``origin``, the session's ``lines`` after o=, and its ``media`` sections.

    Immutable; ``str`` and ``encode`` write it out, lines in the order they came. Two are equal when they read alike.
    Safe to share between threads.
    """

    __slots__ = ("media", "origin")

    def __init__(self, origin: Origin, lines: Iterable[tuple[str, str]], media: Iterable[Media]) -> None:
        super().__init__(lines)
        self.origin = origin
        self.media = tuple(media)

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """Read a description of at most 65,536 octets. Raises SdpError saying what is wrong.

        Line ends may be bare LF. A missing s= or t=, and a c=, b= or t= out of order, are let pass, for phones send
        them; letters that RFC 8866 does not know there, and broken v=, o=, c= or m= lines, are not.
        """
        if len(body) > _LARGEST:
            raise SdpError(f"a session description over {_LARGEST} octets")
        text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n")
        lines = []
        for raw in text.split("\n"):
            match = _LINE.fullmatch(raw)
            if match is None:
                raise SdpError(f"not a line of a session description: {raw[:40]!r}")
            lines.append((match[1], match[2]))
        if lines[0] != ("v", "0") or len(lines) < 2 or lines[1][0] != "o":
            raise SdpError("a session description begins with v=0 and o=")
        first = next((index for index, line in enumerate(lines) if line[0] == "m"), len(lines))
        session = lines[2:first]
        _check(session, _SESSION_LETTERS)
        return cls(Origin.parse(lines[1][1]), session, _sections(lines[first:]))

    def direction(self, media: Media) -> str:
        """The direction of a media section, the session's where it says none itself, else sendrecv."""
        return media.own_direction or self.own_direction or "sendrecv"

    def connection_of(self, media: Media) -> tuple[str, str, str] | None:
        """The connection of a media section, the session's where it has none itself."""
        return media.connection or self.connection

    def replaced(
        self,
        *,
        origin: Origin | None = None,
        lines: Iterable[tuple[str, str]] | None = None,
        media: Iterable[Media] | None = None,
    ) -> Self:
        """A copy with another origin, lines or media."""
        return type(self)(
            self.origin if origin is None else origin,
            self.lines if lines is None else lines,
            self.media if media is None else media,
        )

    def with_directions(self, directions: Iterable[str]) -> Self:
        """A copy whose media sections have these directions, in order; the session itself then says none."""
        media = [each.with_direction(direction) for each, direction in zip(self.media, directions, strict=True)]
        return self.replaced(lines=self._directed(""), media=media)

    def encode(self) -> bytes:
        """The description as bytes, lines ended by CRLF."""
        return str(self).encode("utf-8", "surrogateescape")

    def __str__(self) -> str:
        session = "\r\n".join(["v=0", f"o={self.origin}", *(f"{key}={value}" for key, value in self.lines), ""])
        return session + "".join([str(media) for media in self.media])

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, SessionDescription) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"<SessionDescription {self.origin} {[media.kind for media in self.media]}>"


def _sections(lines: list[tuple[str, str]]) -> list[Media]:
    starts = [index for index, line in enumerate(lines) if line[0] == "m"]
    media = []
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        match = _MEDIA.fullmatch(lines[start][1])
        if match is None or int(match[2]) > 65_535:
            raise SdpError(f"bad m= line: {lines[start][1][:40]!r}")
        rest = lines[start + 1 : end]
        _check(rest, _MEDIA_LETTERS)
        media.append(Media(match[1], int(match[2]), match[4], match[5].split(), rest, int(match[3] or 1)))
    return media


def _check(lines: list[tuple[str, str]], letters: str) -> None:
    for letter, value in lines:
        if letter not in letters:
            raise SdpError(f"{letter}= is unknown or out of place")
        if letter == "c" and _CONNECTION.fullmatch(value) is None:
            raise SdpError(f"bad c= line: {value[:40]!r}")


def _attribute(text: str) -> Attribute:
    name, colon, value = text.partition(":")
    return name, value if colon else None


def _assigned(payload: str) -> str:
    """The static audio and video payload types of RFC 3551 that are in use."""
    match payload:
        case "0":
            return "pcmu/8000"
        case "3":
            return "gsm/8000"
        case "4":
            return "g723/8000"
        case "8":
            return "pcma/8000"
        case "9":
            return "g722/8000"
        case "13":
            return "cn/8000"
        case "15":
            return "g728/8000"
        case "18":
            return "g729/8000"
        case "26":
            return "jpeg/90000"
        case "31":
            return "h261/90000"
        case "34":
            return "h263/90000"
    return ""

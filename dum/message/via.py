"""Via: one hop a request took (RFC 3261 section 20.42, RFC 3581, RFC 5118 section 4.5)."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.grammar import number
from dum.message.parameters import EMPTY, Parameters

_VIA = re.compile(
    r"""\s*SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)[ \t]+
    (?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?))
    (?:[ \t]*:[ \t]*(?P<port>[0-9]{1,5}))?[ \t]*(?P<parameters>(?:;[\s\S]*)?)""",
    re.X | re.I | re.A,
)
MAGIC_COOKIE = "z9hG4bK"


class Via:
    """An immutable Via value.

    ``transport`` is in upper case, ``host`` as written but without the brackets of an IPv6 reference, ``port`` int or
    None. ``str`` gives back the text it was read from, or encodes what it was made of. Safe to share between threads.
    """

    __slots__ = ("_text", "host", "parameters", "port", "transport")

    def __init__(
        self, transport: str, host: str, port: int | None = None, parameters: Parameters = EMPTY, *, text: str = ""
    ) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.parameters = parameters
        self._text = text

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value. Raises HeaderError (a ValueError)."""
        match = _VIA.fullmatch(text)
        if match is None:
            raise HeaderError("Bad Via", "Via")
        transport, six, host, port_text, rest = match.groups()
        port = None if port_text is None else int(port_text)
        if port is not None and port > 65535:
            raise HeaderError("Bad Via", "Via")
        try:
            parameters = Parameters.parse(rest.rstrip())
        except HeaderError as error:
            raise HeaderError("Bad Via", "Via") from error
        return cls(transport.upper(), host or six, port, parameters, text=text.strip())

    @property
    def branch(self) -> str:
        """The branch parameter, "" when there is none."""
        return self.parameters.get("branch") or ""

    @property
    def sent_by(self) -> str:
        """Host and port for matching: lower case, ``host`` or ``host:port``, an IPv6 address in brackets."""
        return normal_sent_by(self.host, self.port)

    @property
    def received(self) -> str | None:
        """The received parameter, without brackets around an IPv6 address."""
        value = self.parameters.get("received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The port in the rport parameter; None when absent or empty (``"rport" in via.parameters`` tells)."""
        value = self.parameters.get("rport")
        return number(value, "Via", 65535) if value else None

    @property
    def maddr(self) -> str | None:
        """The maddr parameter, without brackets around an IPv6 address."""
        value = self.parameters.get("maddr")
        return value.strip("[]") if value else None

    @property
    def ttl(self) -> int | None:
        """The ttl parameter."""
        value = self.parameters.get("ttl")
        return number(value, "Via", 255) if value else None

    def __str__(self) -> str:
        if self._text:
            return self._text
        literal = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {literal}{port}{self.parameters}"

    def __repr__(self) -> str:
        return f"Via({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Via):
            return NotImplemented
        return (
            self.transport == other.transport and self.sent_by == other.sent_by and self.parameters == other.parameters
        )

    def __hash__(self) -> int:
        return hash((self.transport, self.sent_by, self.parameters))


def normal_sent_by(host: str, port: int | None) -> str:
    """``host`` or ``host:port`` in lower case, an IPv6 address in brackets."""
    host = host.lower()
    if ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"

"""Challenges and credentials: WWW-Authenticate, Authorization and their proxy kin (RFC 3261 section 20.7, RFC 8760)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dum.message.errors import HeaderError
from dum.message.grammar import QUOTED, TOKEN, quote, unquote
from dum.message.message import Message

_SCHEME = re.compile(rf"[ \t]*({TOKEN}++)(?:[ \t]++([\s\S]*))?")
_PAIR = re.compile(rf"[ \t,]*+({TOKEN}++)[ \t]*+=[ \t]*+({QUOTED}|[^\s,\"]*+)[ \t]*+(?=,|\Z)")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]++=*+")
_PLAIN = {"algorithm", "stale", "nc", "qop"}


class Authentication:
    """A challenge or credentials: ``scheme`` in lower case, and parameters by ``get`` (names without regard to case).

    A challenge's qop and credentials' all but nc, qop and algorithm are quoted when encoded, as RFC 3261 section 25
    writes them. ``token68`` holds what follows a scheme that has no parameters. Immutable; safe to share between
    threads.
    """

    __slots__ = ("_pairs", "scheme", "token68")

    def __init__(self, scheme: str, pairs: Iterable[tuple[str, str]] = (), token68: str = "") -> None:
        self.scheme = scheme.lower()
        self.token68 = token68
        self._pairs = tuple(pairs)

    @classmethod
    def parse(cls, text: str, header: str) -> Authentication:
        """Read one field value. Raises HeaderError naming ``header``, for a repeated parameter too."""
        match = _SCHEME.fullmatch(text)
        if match is None:
            raise HeaderError(f"Bad {header}", header)
        rest = (match[2] or "").strip()
        if _TOKEN68.fullmatch(rest):
            return cls(match[1], (), rest)
        pairs: list[tuple[str, str]] = []
        position = 0
        pair = _PAIR.match(rest)
        while pair is not None:
            pairs.append((pair[1], unquote(pair[2])))
            position = pair.end()
            pair = _PAIR.match(rest, position)
        if rest[position:].strip(" \t,") or len({name.lower() for name, _ in pairs}) != len(pairs):
            raise HeaderError(f"Bad {header}", header)
        return cls(match[1], pairs)

    def get(self, name: str, default: str = "") -> str:
        """The parameter, unquoted; ``default`` when absent."""
        lowered = name.lower()
        for key, value in self._pairs:
            if key.lower() == lowered:
                return value
        return default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self._pairs)

    def items(self) -> tuple[tuple[str, str], ...]:
        """Every (name, value) in order, unquoted."""
        return self._pairs

    def encode(self, *, challenge: bool) -> str:
        """As a field value; ``challenge`` says whether qop is a quoted list or one bare word."""
        plain = _PLAIN - {"qop"} if challenge else _PLAIN
        pairs = [f"{name}={value if name.lower() in plain else quote(value)}" for name, value in self._pairs]
        scheme = "Digest" if self.scheme == "digest" else self.scheme.capitalize()
        return f"{scheme} {', '.join(pairs) or self.token68}".rstrip()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Authentication):
            return NotImplemented
        return (self.scheme, self._pairs, self.token68) == (other.scheme, other._pairs, other.token68)

    def __hash__(self) -> int:
        return hash((self.scheme, self._pairs, self.token68))

    def __repr__(self) -> str:
        return f"Authentication({self.scheme!r}, {[name for name, _ in self._pairs]})"


def authentications(message: Message, header: str) -> tuple[Authentication, ...]:
    """Every challenge or credentials in the named header's fields, in order: one to a field. Raises HeaderError.

    ``header`` is WWW-Authenticate, Proxy-Authenticate, Authorization or Proxy-Authorization; for Authentication-Info,
    which has no scheme, see ``authentication_info``.
    """
    return tuple([Authentication.parse(text, header) for text in message.headers(header)])


def authentication_info(message: Message) -> Authentication | None:
    """Authentication-Info (RFC 3261 section 20.6) with an empty scheme; None when absent. Raises HeaderError."""
    text = message.header("Authentication-Info")
    if text is None:
        return None
    return Authentication("", Authentication.parse(f"x {text}", "Authentication-Info").items())

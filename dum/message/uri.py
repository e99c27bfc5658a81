"""Uri: SIP and SIPS URIs, tel, urn and any other scheme (RFC 3261 section 19.1, RFC 3966, RFC 5118)."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

from dum.message.grammar import bad_escape, escape, unescape
from dum.message.parameters import EMPTY, Parameters

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SIP = re.compile(
    r"""(?:(?P<user>[^@:\s<>"\x00-\x1f\x7f]+)(?::(?P<password>[^@:\s<>"\x00-\x1f\x7f]*))?@)?
    (?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?))
    (?::(?P<port>[0-9]{1,5}))?
    (?P<parameters>(?:;[^;?@\s<>"]+)*)
    (?:\?(?P<headers>[^@\s<>"]*))?""",
    re.X | re.A,
)
_OPAQUE = re.compile(r"[^\s<>\"\x00-\x1f\x7f]+")
_TEL = re.compile(r"(\+?[0-9A-Fa-f*#\-.()]+)((?:;[^;\s<>\"]+)*)")
_SEPARATORS = str.maketrans("", "", "-.()")


class Uri:
    """An immutable URI; ``str`` gives back the text it was read from.

    ``scheme`` is lower case. For sip and sips: ``user`` and ``password`` as written (escapes kept; ``password`` None
    when absent), ``host`` as written but without the brackets of an IPv6 reference, ``port`` (int or None),
    ``parameters`` and ``headers`` (pairs, escapes kept). For tel: ``user`` is the number. For every other scheme only
    ``opaque``, the text after the colon, is filled. Two are equal when their texts are; ``equivalent`` compares as
    RFC 3261 section 19.1.4 says. Safe to share between threads.
    """

    __slots__ = ("_text", "headers", "host", "opaque", "parameters", "password", "port", "scheme", "user")

    def __init__(
        self,
        text: str,
        scheme: str,
        opaque: str,
        user: str = "",
        password: str | None = None,
        host: str = "",
        port: int | None = None,
        parameters: Parameters = EMPTY,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """For the parser; callers use ``Uri.parse`` or ``Uri.build``."""
        self._text = text
        self.scheme = scheme
        self.opaque = opaque
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.parameters = parameters
        self.headers = headers

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read a URI. Raises ValueError saying what is wrong."""
        start = _SCHEME.match(text)
        if start is None:
            raise ValueError("URI without a scheme")
        scheme = start[1].lower()
        opaque = text[start.end() :]
        if scheme in ("sip", "sips"):
            return _parse_sip(cls, text, scheme, opaque)
        if scheme == "tel":
            number = _TEL.fullmatch(opaque)
            if number is None or not any(character.isalnum() or character in "*#" for character in number[1]):
                raise ValueError("not a telephone number")
            return cls(text, scheme, opaque, number[1], parameters=_uri_parameters(number[2]))
        if _OPAQUE.fullmatch(opaque) is None:
            raise ValueError("URI with nothing, or forbidden characters, after the scheme")
        return cls(text, scheme, opaque)

    @classmethod
    def build(
        cls,
        host: str,
        *,
        scheme: str = "sip",
        user: str = "",
        port: int | None = None,
        parameters: Parameters = EMPTY,
    ) -> Uri:
        """Make a SIP or SIPS URI; what the user part must not hold is escaped. Raises ValueError."""
        if scheme not in ("sip", "sips"):
            raise ValueError(f"build makes sip and sips URIs, not {scheme!r}: use Uri.parse")
        userinfo = f"{escape(user, '&=+$,;?/')}@" if user else ""
        literal = f"[{host}]" if ":" in host and not host.startswith("[") else host
        after = "" if port is None else f":{port}"
        return cls.parse(f"{scheme}:{userinfo}{literal}{after}{parameters}")

    @property
    def secure(self) -> bool:
        """Whether the scheme is sips."""
        return self.scheme == "sips"

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case."""
        value = self.parameters.get("transport")
        return value.lower() if value else None

    @property
    def lr(self) -> bool:
        """Whether the lr parameter (loose routing) is present, with or without a value."""
        return "lr" in self.parameters

    @property
    def maddr(self) -> str | None:
        """The maddr parameter, without the brackets of an IPv6 reference."""
        value = self.parameters.get("maddr")
        return value.strip("[]") if value else None

    def with_parameter(self, name: str, value: str | None = None) -> Uri:
        """A copy with one parameter set; None makes a flag. Raises ValueError."""
        return self._copy(self.parameters.replaced(name, value), self.headers)

    def without_parameter(self, name: str) -> Uri:
        """A copy without the parameter."""
        return self._copy(self.parameters.without(name), self.headers)

    def without_headers(self) -> Uri:
        """A copy without the header part, as a Request-URI must be (RFC 3261 section 19.1.1, table 1)."""
        return self._copy(self.parameters, ())

    def _copy(self, parameters: Parameters, headers: tuple[tuple[str, str], ...]) -> Uri:
        if self.scheme not in ("sip", "sips", "tel"):
            raise ValueError(f"a {self.scheme} URI has no parameters or headers")
        bare = self._text.partition(";")[0] if self.scheme == "tel" else self._before_parameters()
        tail = "?" + "&".join([f"{name}={value}" for name, value in headers]) if headers else ""
        return Uri.parse(f"{bare}{parameters}{tail}")

    def _before_parameters(self) -> str:
        password = "" if self.password is None else f":{self.password}"
        userinfo = f"{self.user}{password}@" if self.user else ""
        literal = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}:{userinfo}{literal}{port}"

    def equivalent(self, other: Uri) -> bool:
        """Whether both name the same resource (RFC 3261 section 19.1.4, RFC 5954; RFC 3966 section 4 for tel)."""
        if self.scheme != other.scheme:
            return False
        if self.scheme == "tel":
            mine, theirs = self.user.translate(_SEPARATORS).lower(), other.user.translate(_SEPARATORS).lower()
            return mine == theirs and _folded(self.parameters) == _folded(other.parameters)
        if self.scheme not in ("sip", "sips"):
            return self.opaque == other.opaque
        return (
            unescape(self.user) == unescape(other.user)
            and _unescaped(self.password) == _unescaped(other.password)
            and same_host(self.host, other.host)
            and self.port == other.port
            and _parameters_match(self.parameters, other.parameters)
            and _header_set(self) == _header_set(other)
        )

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Uri({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Uri) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)


def _parse_sip(cls: type[Uri], text: str, scheme: str, opaque: str) -> Uri:
    match = _SIP.fullmatch(opaque)
    if match is None:
        raise ValueError(f"not a {scheme} URI")
    user, password, six, host, port_text, parameters, headers = match.groups()
    if "%" in opaque and bad_escape(opaque):
        raise ValueError("% that is not an escape in a URI")
    port = None if port_text is None else int(port_text)
    if port is not None and port > 65535:
        raise ValueError("port above 65535 in a URI")
    pairs: tuple[tuple[str, str], ...] = ()
    if headers:
        pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in headers.split("&")))
    return cls(text, scheme, opaque, user or "", password, host or six, port, _uri_parameters(parameters), pairs)


def _uri_parameters(text: str) -> Parameters:
    if not text:
        return EMPTY
    return Parameters(
        (name, value if equals else None)
        for name, equals, value in (part.partition("=") for part in text[1:].split(";"))
    )


def same_host(one: str, other: str) -> bool:
    """Whether two hosts are the same: names without regard to case, IPv6 addresses by value (RFC 5954)."""
    if ":" in one and ":" in other:
        try:
            return IPv6Address(one) == IPv6Address(other)
        except AddressValueError:
            pass
    return one.lower() == other.lower()


def _unescaped(text: str | None) -> str | None:
    return None if text is None else unescape(text)


def _folded(parameters: Parameters) -> dict[str, str | None]:
    folded: dict[str, str | None] = {}
    for name, value in parameters.items():
        folded[unescape(name).lower()] = None if value is None else unescape(value).lower()
    return folded


def _parameters_match(mine: Parameters, theirs: Parameters) -> bool:
    if not mine and not theirs:
        return True
    one, other = _folded(mine), _folded(theirs)
    for name in one.keys() | other.keys():
        if name in one and name in other:
            if one[name] != other[name]:
                return False
        elif name in ("user", "ttl", "method", "maddr", "transport"):
            return False
    return True


def _header_set(uri: Uri) -> list[tuple[str, str]]:
    return sorted((unescape(name).lower(), unescape(value)) for name, value in uri.headers)

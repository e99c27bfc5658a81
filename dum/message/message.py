"""What requests and responses have in common: the bytes, the routing fields, and the rest read when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from dum.message.errors import HeaderError
from dum.message.fields import canonical, is_list, name_of, raw_lines, split_fields
from dum.message.grammar import is_token, number, split_commas
from dum.message.name_address import NameAddress, parse_name_addresses
from dum.message.via import Via

Fields = Iterable[tuple[str, str]]

_STAR = re.compile(r"[ \t]*\*[ \t]*")


class Message:
    """A SIP message: immutable, its bytes kept as they came.

    ``call_id``, ``cseq``, ``cseq_method``, ``from_tag``, ``to_tag`` ("" when none), and ``branch`` ("" when none) and
    ``sent_by`` of the top Via are there at once; every other header is read from the bytes when first asked for, and
    kept. A typed property of a header that does not follow its grammar raises HeaderError; ``header`` and ``headers``
    never do, save for an unclosed quote in a list. Text is decoded as UTF-8 with surrogateescape, so that any octet
    survives. Safe to share between threads. Two messages are equal when their bytes are.
    """

    __slots__ = (
        "_data",
        "_read",
        "branch",
        "call_id",
        "cseq",
        "cseq_method",
        "from_tag",
        "sent_by",
        "to_tag",
    )

    def __init__(
        self,
        data: bytes,
        call_id: str,
        cseq: int,
        cseq_method: str,
        from_tag: str,
        to_tag: str,
        branch: str,
        sent_by: str,
    ) -> None:
        self._data = data
        self._read: dict[str, Any] | None = None
        self.call_id = call_id
        self.cseq = cseq
        self.cseq_method = cseq_method
        self.from_tag = from_tag
        self.to_tag = to_tag
        self.branch = branch
        self.sent_by = sent_by

    def encode(self) -> bytes:
        """The message as bytes; for a received one the very bytes that came. Costs nothing: they are kept."""
        return self._data

    @property
    def body(self) -> bytes:
        """The body, b"" when there is none."""
        return self._data[self._data.index(b"\r\n\r\n") + 4 :]

    def _head(self) -> str:
        data = self._data
        return data[: data.index(b"\r\n\r\n")].decode("utf-8", "surrogateescape")

    def _start_line(self) -> str:
        data = self._data
        return data[: data.index(b"\r\n")].decode("utf-8", "surrogateescape")

    # What has been read stays in one dict. Two threads reading at once both compute the same value; one of them wins.
    def _recall(self, key: str) -> Any:
        read = self._read
        return None if read is None else read.get(key)

    def _keep[T](self, key: str, value: T) -> T:
        read = self._read
        if read is None:
            read = self._read = {}
        read[key] = value
        return value

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Every header field in order: name as received, value as text, unfolded and stripped."""
        return tuple(split_fields(self._head()))

    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] | None = self._recall("fields")
        if index is None:
            index = {}
            for name, value in split_fields(self._head()):
                index.setdefault(canonical(name), []).append(value)
            self._keep("fields", index)
        return index

    def header(self, name: str) -> str | None:
        """The value of the first header field of that name, as text, unfolded and stripped; None when absent.

        The name's case does not matter, and compact and long form are one.
        """
        values = self._index().get(canonical(name))
        return values[0] if values else None

    def headers(self, name: str) -> tuple[str, ...]:
        """Every value of that header in order; those of a list header split at its commas, whatever lines they are on.

        Date, Subject, Call-ID, credentials, challenges and unknown headers are never split. Raises HeaderError when
        a list header leaves a quote or an angle bracket unclosed.
        """
        name = canonical(name)
        values = self._index().get(name)
        if values is None:
            return ()
        if not is_list(name):
            return tuple(values)
        try:
            return tuple([part for value in values for part in split_commas(value)])
        except HeaderError as error:
            raise HeaderError(error.reason, _title(name)) from error

    @property
    def vias(self) -> tuple[Via, ...]:
        """Every Via, topmost first. Raises HeaderError."""
        found: tuple[Via, ...] | None = self._recall("via")
        if found is None:
            found = self._keep("via", tuple([Via.parse(value) for value in self.headers("via")]))
        return found

    @property
    def top_via(self) -> Via:
        """The topmost Via; broken ones below it do not matter. Raises HeaderError."""
        try:
            values = split_commas(self.header("via") or "")
        except HeaderError as error:
            raise HeaderError(error.reason, "Via") from error
        if not values:
            raise HeaderError("Missing Via", "Via")
        return Via.parse(values[0])

    @property
    def from_(self) -> NameAddress:
        """The From header. Raises HeaderError."""
        return self._address("from", "From")

    @property
    def to(self) -> NameAddress:
        """The To header. Raises HeaderError."""
        return self._address("to", "To")

    def _address(self, name: str, title: str) -> NameAddress:
        found: NameAddress | None = self._recall(name)
        if found is None:
            value = self.header(name)
            if value is None:
                raise HeaderError(f"Missing {title}", title)
            found = self._keep(name, NameAddress.parse(value, title))
        return found

    def _addresses(self, name: str, title: str) -> tuple[NameAddress, ...]:
        found: tuple[NameAddress, ...] | None = self._recall(name)
        if found is None:
            values = self._index().get(name)
            found = self._keep(name, parse_name_addresses(values, title) if values else ())
        return found

    @property
    def contact_is_star(self) -> bool:
        """Whether the Contact is ``*``, as to remove every binding."""
        value = self.header("contact")
        return value is not None and _STAR.fullmatch(value) is not None

    @property
    def contacts(self) -> tuple[NameAddress, ...]:
        """Every Contact address; empty for ``*``. Raises HeaderError."""
        if self.contact_is_star and len(self.headers("contact")) == 1:
            return ()
        return self._addresses("contact", "Contact")

    @property
    def routes(self) -> tuple[NameAddress, ...]:
        """Every Route, topmost first. Raises HeaderError."""
        return self._addresses("route", "Route")

    @property
    def record_routes(self) -> tuple[NameAddress, ...]:
        """Every Record-Route, topmost first. Raises HeaderError."""
        return self._addresses("record-route", "Record-Route")

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, 0 to 255; None when absent. Raises HeaderError."""
        value = self.header("max-forwards")
        return None if value is None else number(value, "Max-Forwards", 255)

    @property
    def expires(self) -> int | None:
        """Expires in seconds, 0 to 2**32 - 1; None when absent. Raises HeaderError."""
        value = self.header("expires")
        return None if value is None else number(value, "Expires")

    @property
    def content_type(self) -> str:
        """The Content-Type, type and subtype in lower case without parameters; "" when absent."""
        value = self.header("content-type")
        if value is None:
            return ""
        media = value.partition(";")[0]
        return "".join(media.split()).lower()

    def with_fields(
        self,
        replace: Mapping[str, str | None] | None = None,
        prepend: Sequence[tuple[str, str]] = (),
        append: Sequence[tuple[str, str]] = (),
    ) -> Self:
        """A new message with header fields changed; lines not named stay byte for byte.

        ``replace`` maps a name to its new value, which takes the place of the first such field while the others of
        that name go (None removes all; a name that is absent is added at the end); ``prepend`` goes before every
        other field, ``append`` after. Raises ValueError for a name that is no token, a value with a line break, for
        Content-Length, or when the outcome would be malformed.
        """
        front = [field_line(name, value) for name, value in prepend]
        back = [field_line(name, value) for name, value in append]
        wanted = {canonical(name): (name, value) for name, value in (replace or {}).items()}
        start, *lines = raw_lines(self._head())
        kept: list[str] = []
        placed: set[str] = set()
        for line in lines:
            key = name_of(line)
            if key not in wanted:
                kept.append(f"\r\n{line}")
                continue
            name, value = wanted[key]
            if value is not None and key not in placed:
                kept.append(field_line(name, value))
            placed.add(key)
        for key, (name, value) in wanted.items():
            if key not in placed and value is not None:
                kept.append(field_line(name, value))
        text = "".join([start, *front, *kept, *back, "\r\n\r\n"])
        data = text.encode("utf-8", "surrogateescape") + self.body
        touched = {*wanted, *(canonical(name) for name, _ in (*prepend, *append))}
        if touched & {"via", "from", "to", "call-id", "cseq", "max-forwards", "record-route"}:
            return self._reread(data)
        return self._rewritten(data)

    def _reread(self, data: bytes) -> Self:
        raise NotImplementedError

    def _rewritten(self, data: bytes) -> Self:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, Message) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._start_line()!r} Call-ID {self.call_id!r} CSeq {self.cseq}>"


def _is_familiar(name: str) -> bool:
    """Whether the name is known to be a token, and not Content-Length, without looking at it."""
    return name in {
        "Accept",
        "Allow",
        "Allow-Events",
        "Authorization",
        "CSeq",
        "Call-ID",
        "Contact",
        "Content-Disposition",
        "Content-Type",
        "Date",
        "Event",
        "Expires",
        "From",
        "Max-Forwards",
        "Min-SE",
        "Proxy-Authorization",
        "RAck",
        "RSeq",
        "Reason",
        "Record-Route",
        "Refer-To",
        "Referred-By",
        "Require",
        "Retry-After",
        "Route",
        "Server",
        "Session-Expires",
        "Subject",
        "Subscription-State",
        "Supported",
        "To",
        "User-Agent",
        "Via",
        "WWW-Authenticate",
    }


def field_line(name: str, value: str) -> str:
    """One header line after its CRLF. Raises ValueError for what would let a caller's text become other lines."""
    if not _is_familiar(name):
        if not is_token(name):
            raise ValueError(f"header name {name!r} is not a token")
        if canonical(name) == "content-length":
            raise ValueError("Content-Length is written from the body: leave it out")
    if "\r" in value or "\n" in value:
        raise ValueError(f"the value of {name} holds a line break; encode it as a single line")
    return f"\r\n{name}: {value}"


def head_lines(start: str, fields: Fields, body: bytes) -> bytes:
    """A whole message from its start line, (name, value) pairs and body; Content-Length is added. Raises ValueError."""
    lines = "".join([field_line(name, value) for name, value in fields])
    return f"{start}{lines}\r\nContent-Length: {len(body)}\r\n\r\n".encode("utf-8", "surrogateescape") + body


def _title(name: str) -> str:
    return "-".join([part.capitalize() for part in name.split("-")])

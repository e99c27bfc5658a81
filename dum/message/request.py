"""Request (RFC 3261 section 7.1), and the response to it (section 8.2.6)."""

from __future__ import annotations

import re
from typing import Self

from dum.message.check import check_request
from dum.message.errors import HeaderError
from dum.message.fields import name_of, raw_lines, unfold
from dum.message.grammar import is_token, split_commas
from dum.message.malformed import Malformed
from dum.message.message import Fields, Message, field_line, head_lines
from dum.message.response import Response, status_line
from dum.message.routing import read_routing
from dum.message.typical import either_case, read_typical, stamp_via
from dum.message.uri import Uri, same_host
from dum.message.via import Via


class Request(Message):
    """A SIP request: ``method`` and ``request_uri`` beside what every Message has."""

    __slots__ = ("_typical", "method")

    def __init__(
        self,
        data: bytes,
        method: str,
        call_id: str,
        cseq: int,
        cseq_method: str,
        from_tag: str,
        to_tag: str,
        branch: str,
        sent_by: str,
        typical: bool = False,
    ) -> None:
        """For the parser; callers use ``Request.build``. ``typical``: ``read_typical`` could read it."""
        self._data = data
        self._read = None
        self.method = method
        self.call_id = call_id
        self.cseq = cseq
        self.cseq_method = cseq_method
        self.from_tag = from_tag
        self.to_tag = to_tag
        self.branch = branch
        self.sent_by = sent_by
        self._typical = typical

    @property
    def request_uri(self) -> str:
        """The Request-URI as text."""
        return self._start_line().split(" ", 2)[1]

    @property
    def uri(self) -> Uri:
        """The Request-URI. Raises HeaderError (with an empty ``header``)."""
        found: Uri | None = self._recall("uri")
        if found is None:
            try:
                found = self._keep("uri", Uri.parse(self.request_uri))
            except ValueError as error:
                raise HeaderError("Bad Request-URI") from error
        return found

    @classmethod
    def build(cls, method: str, request_uri: str | Uri, fields: Fields, body: bytes = b"") -> Request:
        """Make a request; Content-Length is added.

        Raises ValueError for a method that is no token, a Request-URI with white space or brackets, a line break in
        any text, or missing routing fields (Via, From, To, Call-ID, and a CSeq of the same method).
        """
        if not is_token(method):
            raise ValueError(f"method {method!r} is not a token")
        data = head_lines(f"{method} {_checked_uri(str(request_uri))} SIP/2.0", fields, body)
        return cls._from_bytes(data, method)

    @classmethod
    def _from_bytes(cls, data: bytes, method: str) -> Request:
        head = data[: data.index(b"\r\n\r\n")].decode("utf-8", "surrogateescape")
        typical = read_typical(head)
        if typical is not None:
            return cls(data, typical[0], *typical[2:9], True)
        try:
            return cls(data, method, *read_routing(head, method)[:7])
        except HeaderError as error:
            raise ValueError(f"these fields make no request: {error}") from error

    def _reread(self, data: bytes) -> Self:
        return type(self)._from_bytes(data, self.method)  # type: ignore[return-value]

    def _rewritten(self, data: bytes) -> Self:
        return type(self)(
            data,
            self.method,
            self.call_id,
            self.cseq,
            self.cseq_method,
            self.from_tag,
            self.to_tag,
            self.branch,
            self.sent_by,
            self._typical,
        )

    def with_request_uri(self, request_uri: str | Uri) -> Request:
        """A new request with another Request-URI; every header line stays byte for byte. Raises ValueError."""
        rest = self._data[self._data.index(b"\r\n") :]
        line = f"{self.method} {_checked_uri(str(request_uri))} SIP/2.0"
        return self._rewritten(line.encode("utf-8", "surrogateescape") + rest)

    def with_received(self, host: str, port: int) -> Request:
        """The request as the server transport hands it up (RFC 3261 section 18.2.1, RFC 3581 section 4).

        The top Via gets ``received=host`` when its sent-by host differs or when it asks for rport, and an rport that
        came empty gets the port. A received parameter that the sender wrote itself is replaced. Gives back the same
        object when nothing is to be added.
        """
        literal = f"[{host}]" if ":" in host else host
        same = self.sent_by == literal or self.sent_by.startswith(f"{literal}:")
        data = stamp_via(self._data, literal, port, same)
        if data is None:
            return self._stamped(host, port)
        return self if data is self._data else self._rewritten(data)

    def _stamped(self, host: str, port: int) -> Request:
        via = self.top_via
        parameters = via.parameters.without("received")
        asked = "rport" in parameters
        if asked:
            parameters = parameters.replaced("rport", str(port))
        if asked or not same_host(via.host, host):
            parameters = parameters.replaced("received", f"[{host}]" if ":" in host else host)
        if parameters == via.parameters:
            return self
        stamped = str(Via(via.transport, via.host, via.port, parameters))
        start, *lines = raw_lines(self._head())
        position = next(index for index, line in enumerate(lines) if name_of(line) == "via")
        name, _, value = lines[position].partition(":")
        lines[position] = f"{name}: {', '.join([stamped, *split_commas(unfold(value))[1:]])}"
        head = "\r\n".join([start, *lines, "\r\n"])
        return self._rewritten(head.encode("utf-8", "surrogateescape") + self.body)

    def respond(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str = "",
        fields: Fields = (),
        body: bytes = b"",
    ) -> Response:
        """The response to this request (RFC 3261 section 8.2.6).

        Every Via, From, To, Call-ID and CSeq are copied as they came, To with ``to_tag`` if it has no tag; so is
        Record-Route into a 101 to 299 for a request that makes or keeps a dialog (INVITE, SUBSCRIBE, REFER, NOTIFY),
        and Timestamp into a 100. ``fields`` follow, then Content-Length. Raises ValueError for a status outside 100
        to 699 or a line break in any text.
        """
        start = status_line(status, reason)
        data = self._data
        with_route = 100 < status < 300 and self.method in ("INVITE", "SUBSCRIBE", "REFER", "NOTIFY")
        if self._typical and status != 100:
            pattern = _TYPICAL_WITH_ROUTE if with_route else _TYPICAL
        elif with_route:
            pattern = _COPIED_WITH_ROUTE
        else:
            pattern = _COPIED_WITH_TIMESTAMP if status == 100 else _COPIED
        copied = b"".join(pattern.findall(data, 0, data.index(b"\r\n\r\n") + 2))
        tag = self.to_tag
        if to_tag and not tag:
            tag = to_tag
            copied = _with_tag(copied, to_tag, self._typical)
        if fields:
            lines = "".join([field_line(name, value) for name, value in fields])
            copied += lines.encode("utf-8", "surrogateescape")
        encoded = b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (start, copied, len(body), body)
        return Response(
            encoded,
            status,
            self.call_id,
            self.cseq,
            self.cseq_method,
            self.from_tag,
            tag,
            self.branch,
            self.sent_by,
        )

    def check(self) -> Malformed | None:
        """The validation beyond routing that the server makes once for each new request; None when all is well.

        Reads the Request-URI and every typed header of RFC 3261 that is present, and answers the first that breaks
        its grammar (RFC 4475 section 3.1.2).
        """
        return check_request(self)


def _copied(*names: str) -> re.Pattern[bytes]:
    """A pattern for whole lines, folded ones too, of the named headers; re.IGNORECASE would make it much slower."""
    either = "|".join([either_case(name) for name in names])
    folded = r"(?:\r\n[ \t][^\r\n]*+)*+"
    return re.compile(rf"\r\n(?:{either})[ \t]*+(?:\r\n[ \t]++)*+:[^\r\n]*+{folded}".encode())


_ALWAYS = ("Via", "v", "From", "f", "To", "t", "Call-ID", "i", "CSeq")
_COPIED = _copied(*_ALWAYS)
_COPIED_WITH_ROUTE = _copied(*_ALWAYS, "Record-Route")
_COPIED_WITH_TIMESTAMP = _copied(*_ALWAYS, "Timestamp")
_TO = re.compile(rb"\r\n[Tt][Oo]?\s*+:[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+")
# In a typical request the names are spelt in one way only, and no line is folded.
_TYPICAL = re.compile(rb"\r\n(?:Via|From|To|Call-ID|CSeq):[^\r\n]*+")
_TYPICAL_WITH_ROUTE = re.compile(rb"\r\n(?:Via|From|To|Call-ID|CSeq|Record-Route):[^\r\n]*+")


def _with_tag(lines: bytes, tag: str, typical: bool) -> bytes:
    if not (tag.isalnum() and tag.isascii()) and not is_token(tag):
        raise ValueError(f"tag {tag!r} is not a token")
    if typical:
        end = lines.find(b"\r\n", lines.find(b"\r\nTo:") + 2)
        if end < 0:
            end = len(lines)
    else:
        to = _TO.search(lines)
        if to is None:
            raise ValueError("a request without To")
        end = to.end()
    return b"%b;tag=%b%b" % (lines[:end], tag.encode("ascii"), lines[end:])


def _checked_uri(text: str) -> str:
    if not text or any(character <= " " or character in '<>"\x7f' for character in text):
        raise ValueError(f"Request-URI {text!r} is empty or holds white space, quotes or brackets")
    return text

"""Request (RFC 3261 section 7.1), and the response to it (section 8.2.6)."""

from __future__ import annotations

import re
from typing import Self

from dum.message.check import check_request
from dum.message.errors import HeaderError
from dum.message.fields import name_of, raw_lines
from dum.message.grammar import is_token, split_commas
from dum.message.malformed import Malformed
from dum.message.message import Fields, Message, field_line, head_lines
from dum.message.response import Response, checked_phrase
from dum.message.routing import read_routing
from dum.message.uri import Uri, same_host
from dum.message.via import Via


class Request(Message):
    """A SIP request: ``method`` and ``request_uri`` beside what every Message has."""

    __slots__ = ("method",)

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
    ) -> None:
        """For the parser; callers use ``Request.build``."""
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
        try:
            routing = read_routing(head, method)
        except HeaderError as error:
            raise ValueError(f"these fields make no request: {error}") from error
        return cls(data, method, *routing[:7])

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
        via = self.top_via
        asked = "rport" in via.parameters
        literal = f"[{host}]" if ":" in host else host
        differs = not same_host(via.host, host)
        parameters = via.parameters.without("received")
        if asked:
            parameters = parameters.replaced("rport", str(port))
        if asked or differs:
            parameters = parameters.replaced("received", literal)
        if parameters == via.parameters:
            return self
        stamped = str(Via(via.transport, via.host, via.port, parameters))
        start, *lines = raw_lines(self._head())
        position = next(index for index, line in enumerate(lines) if name_of(line) == "via")
        name, _, value = lines[position].partition(":")
        others = split_commas(value.replace("\r\n", " "))[1:]
        lines[position] = f"{name}: {', '.join([stamped, *others])}"
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
        phrase = checked_phrase(status, reason)
        if 100 < status < 300 and self.method in ("INVITE", "SUBSCRIBE", "REFER", "NOTIFY"):
            pattern = _COPIED_WITH_ROUTE
        elif status == 100:
            pattern = _COPIED_WITH_TIMESTAMP
        else:
            pattern = _COPIED
        data = self._data
        copied: list[bytes] = pattern.findall(data, 0, data.index(b"\r\n\r\n"))
        tag = self.to_tag
        if to_tag and not tag:
            tag = to_tag
            suffix = b";tag=" + _checked_tag(to_tag).encode("ascii")
            copied = [line + suffix if _IS_TO.match(line) else line for line in copied]
        rest = [field_line(name, value) for name, value in fields]
        rest.append(f"Content-Length: {len(body)}\r\n\r\n")
        encoded = b"".join(
            (
                f"SIP/2.0 {status} {phrase}".encode("utf-8", "surrogateescape"),
                *copied,
                b"\r\n",
                "\r\n".join(rest).encode("utf-8", "surrogateescape"),
                body,
            )
        )
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


def _copied(*names: bytes) -> re.Pattern[bytes]:
    """A pattern for whole lines, folded ones too, of the named headers; re.IGNORECASE would make it much slower."""
    spelt = b"|".join(names)
    either = re.sub(rb"[A-Za-z]", lambda match: b"[" + match[0].upper() + match[0].lower() + b"]", spelt)
    return re.compile(rb"\r\n(?:" + either + rb")[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*")


_ALWAYS = (b"Via", b"v", b"From", b"f", b"To", b"t", b"Call-ID", b"i", b"CSeq")
_COPIED = _copied(*_ALWAYS)
_COPIED_WITH_ROUTE = _copied(*_ALWAYS, b"Record-Route")
_COPIED_WITH_TIMESTAMP = _copied(*_ALWAYS, b"Timestamp")
_IS_TO = re.compile(rb"\r\n[Tt][Oo]?[ \t]*:")


def _checked_tag(tag: str) -> str:
    if not is_token(tag):
        raise ValueError(f"tag {tag!r} is not a token")
    return tag


def _checked_uri(text: str) -> str:
    if not text or any(character <= " " or character in '<>"\x7f' for character in text):
        raise ValueError(f"Request-URI {text!r} is empty or holds white space, quotes or brackets")
    return text

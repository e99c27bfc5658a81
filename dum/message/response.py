"""Response (RFC 3261 section 7.2)."""

from __future__ import annotations

from typing import Self

from dum.message.errors import HeaderError
from dum.message.message import Fields, Message, head_lines
from dum.message.reason import reason_phrase
from dum.message.routing import read_routing
from dum.message.typical import read_typical


class Response(Message):
    """A SIP response: ``status`` (100 to 699) and ``reason`` beside what every Message has."""

    __slots__ = ("status",)

    def __init__(
        self,
        data: bytes,
        status: int,
        call_id: str,
        cseq: int,
        cseq_method: str,
        from_tag: str,
        to_tag: str,
        branch: str,
        sent_by: str,
    ) -> None:
        """For the parser and for ``Request.respond``; callers use ``Response.build``."""
        self._data = data
        self._read = None
        self.status = status
        self.call_id = call_id
        self.cseq = cseq
        self.cseq_method = cseq_method
        self.from_tag = from_tag
        self.to_tag = to_tag
        self.branch = branch
        self.sent_by = sent_by

    @property
    def reason(self) -> str:
        """The reason phrase, which may be empty."""
        return self._start_line()[12:]

    @classmethod
    def build(cls, status: int, reason: str | None, fields: Fields, body: bytes = b"") -> Response:
        """Make a response; ``reason`` None takes the registered phrase, Content-Length is added.

        Raises ValueError for a status outside 100 to 699, a line break in any text, or missing routing fields.
        """
        phrase = checked_phrase(status, reason)
        data = head_lines(f"SIP/2.0 {status} {phrase}", fields, body)
        return cls._from_bytes(data, status)

    @classmethod
    def _from_bytes(cls, data: bytes, status: int) -> Response:
        head = data[: data.index(b"\r\n\r\n")].decode("utf-8", "surrogateescape")
        typical = read_typical(head)
        if typical is not None:
            return cls(data, status, *typical[2:9])
        try:
            return cls(data, status, *read_routing(head, "")[:7])
        except HeaderError as error:
            raise ValueError(f"these fields make no response: {error}") from error

    def _reread(self, data: bytes) -> Self:
        return type(self)._from_bytes(data, self.status)  # type: ignore[return-value]

    def _rewritten(self, data: bytes) -> Self:
        return type(self)(
            data,
            self.status,
            self.call_id,
            self.cseq,
            self.cseq_method,
            self.from_tag,
            self.to_tag,
            self.branch,
            self.sent_by,
        )


def checked_phrase(status: int, reason: str | None) -> str:
    """The reason phrase to send. Raises ValueError for a status outside 100 to 699 or a phrase with a line break."""
    if not 100 <= status <= 699:
        raise ValueError(f"status {status} is not between 100 and 699")
    if reason is None:
        return reason_phrase(status)
    if "\r" in reason or "\n" in reason:
        raise ValueError("the reason phrase holds a line break")
    return reason


def status_line(status: int, reason: str | None) -> bytes:
    """The Status-Line to send, without its line end. Raises ValueError as ``checked_phrase`` does."""
    if reason is None:
        if status == 200:
            return b"SIP/2.0 200 OK"
        if status == 180:
            return b"SIP/2.0 180 Ringing"
        if status == 100:
            return b"SIP/2.0 100 Trying"
    return f"SIP/2.0 {status} {checked_phrase(status, reason)}".encode("utf-8", "surrogateescape")

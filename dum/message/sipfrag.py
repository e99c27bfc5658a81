"""message/sipfrag: a piece of a SIP message as a body (RFC 3420), such as a REFER's NOTIFY carries (RFC 3515)."""

from __future__ import annotations

from dum.message.errors import HeaderError
from dum.message.fields import canonical, split_fields
from dum.message.response import checked_phrase
from dum.message.start_line import is_status_line, read_request_line, read_status_line


class Sipfrag:
    """What a fragment holds.

    ``status`` and ``reason``, or ``method`` and ``request_uri``, or neither; ``fields`` and ``body``. What is absent
    is 0, "", () or b"". Immutable; safe to share between threads.
    """

    __slots__ = ("body", "fields", "method", "reason", "request_uri", "status")

    def __init__(
        self,
        status: int = 0,
        reason: str = "",
        method: str = "",
        request_uri: str = "",
        fields: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.reason = reason
        self.method = method
        self.request_uri = request_uri
        self.fields = fields
        self.body = body

    def header(self, name: str) -> str | None:
        """The first field of that name, None when absent."""
        wanted = canonical(name)
        for key, value in self.fields:
            if canonical(key) == wanted:
                return value
        return None


def parse_sipfrag(data: bytes) -> Sipfrag:
    """Read a fragment; the final line end may be missing. Raises HeaderError for a start line that is none."""
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape").removesuffix("\r\n")
    line = text.partition("\r\n")[0]
    try:
        if is_status_line(line):
            return Sipfrag(read_status_line(line), line[12:], fields=tuple(split_fields(text)), body=body)
        if line.endswith(" SIP/2.0"):
            method, uri = read_request_line(line, 65_536)
            return Sipfrag(0, "", method, uri, tuple(split_fields(text)), body)
    except HeaderError as error:
        raise HeaderError("Bad Sipfrag", "Content-Type") from error
    if line and ":" not in line:
        raise HeaderError("Bad Sipfrag", "Content-Type")
    return Sipfrag(fields=tuple(split_fields(f"\r\n{text}")), body=body)


def encode_sipfrag(status: int, reason: str | None = None) -> bytes:
    """The fragment that tells how far a reference has come: ``SIP/2.0 200 OK``. Raises ValueError."""
    return f"SIP/2.0 {status} {checked_phrase(status, reason)}\r\n".encode("utf-8", "surrogateescape")

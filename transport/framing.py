"""Cutting a byte stream into messages (RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1).

A codec is bytes in, messages and bytes out, and touches no socket: the same connection serves SIP over TCP, over TLS
and over WebSocket with different codecs.
"""

import re
from typing import Final, Protocol

from transport.errors import TransportError
from transport.limits import Limits

_HEADER_END: Final = b"\r\n\r\n"
_CONTENT_LENGTH: Final = re.compile(rb"\r\n(?:content-length|l)[ \t]*:([^\r\n]*(?:\r\n[ \t]+[^\r\n]*)*)", re.IGNORECASE)
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")


class Codec(Protocol):
    """How messages lie in a stream of bytes. Not thread-safe: the connection holds its lock."""

    error: TransportError | None
    """Why the stream cannot be read any further; what was whole before has been returned."""
    pings: int
    """Keep-alives sent that have not been answered."""

    @property
    def established(self) -> bool:
        """Whether messages may be sent."""

    @property
    def partial(self) -> bool:
        """Whether the beginning of a message is waiting for its rest."""

    def start(self) -> bytes:
        """What to send first."""

    def feed(self, data: bytes) -> list[bytes]:
        """The whole messages that this read completes, in order."""

    def reply(self) -> bytes:
        """What to send because of what was fed (a pong, a handshake), once."""

    def encode(self, message: bytes) -> bytes:
        """One message as it goes into the stream."""

    def ping(self) -> bytes:
        """A keep-alive that the peer has to answer."""

    def ended(self) -> None:
        """The peer has sent its last byte: sets `error` when it stopped within a message."""

    def close(self) -> bytes:
        """What to send last."""


class StreamCodec:
    """SIP on a stream: framed by Content-Length; double CRLF is a ping, which is answered with a CRLF."""

    __slots__ = ("_adjacent", "_limits", "_pending", "_reply", "_searched", "_wanted", "error", "pings")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pending = bytearray()
        self._searched = 0
        self._wanted = 0
        self._adjacent = 0
        self._reply = b""
        self.error: TransportError | None = None
        self.pings = 0

    @property
    def established(self) -> bool:
        """Always: a stream needs no handshake."""
        return True

    @property
    def partial(self) -> bool:
        """Whether the beginning of a message is waiting for its rest."""
        return bool(self._pending)

    def start(self) -> bytes:
        """Nothing: a stream begins with the first message."""
        return b""

    def feed(self, data: bytes) -> list[bytes]:
        """The whole messages that this read completes, in order; sets `error` at what cannot be framed."""
        if self.error is not None:
            return []
        pending = self._pending
        if not pending:
            return self._cut(data)
        pending += data
        # A message that trickles in is searched only where it has grown: the cost stays linear in its size.
        if len(pending) < self._wanted:
            return []
        if not self._wanted and pending.find(_HEADER_END, self._searched) < 0 and pending[0] not in b"\r\n":
            self._searched = max(0, len(pending) - 3)
            self._check_header(len(pending))
            return []
        data = bytes(pending)
        pending.clear()
        self._searched = self._wanted = 0
        return self._cut(data)

    def reply(self) -> bytes:
        """The pongs that are due, once."""
        reply, self._reply = self._reply, b""
        return reply

    def encode(self, message: bytes) -> bytes:
        """The message as it is."""
        return message

    def ping(self) -> bytes:
        """A double CRLF, which the peer answers with a single one."""
        self.pings += 1
        return b"\r\n\r\n"

    def ended(self) -> None:
        """The peer has sent its last byte: an error within a message."""
        if self._pending and self.error is None:
            self._refuse("framing", f"the peer ended within a message, after {len(self._pending)} bytes of it")

    def close(self) -> bytes:
        """Nothing: a stream just ends."""
        return b""

    def _cut(self, data: bytes) -> list[bytes]:
        messages: list[bytes] = []
        start, size = 0, len(data)
        while start < size and self.error is None:
            first = data[start]
            if first <= 0x20 or first >= 0x7F:
                if data.startswith(b"\r\n", start):
                    start += 2
                    self._empty_line()
                    continue
                if data[start:] != b"\r":
                    self._refuse("framing", f"a message cannot begin with the byte 0x{first:02x}")
                    break
                self._hold(data[start:])
                break
            end = data.find(_HEADER_END, start)
            if end < 0:
                self._hold(data[start:])
                self._searched = max(0, size - start - 3)
                self._check_header(size - start)
                break
            end = self._message_end(data, start, end)
            if self.error is not None:
                break
            if end > size:
                self._hold(data[start:])
                self._wanted = end - start
                break
            self._adjacent = 0
            messages.append(data[start:end])
            start = end
        return messages

    def _hold(self, rest: bytes) -> None:
        self._pending = bytearray(rest)

    def _empty_line(self) -> None:
        if self.pings:
            self.pings = 0
            return
        self._adjacent += 1
        if self._adjacent == 2:
            self._adjacent = 0
            self._reply += b"\r\n"

    def _message_end(self, data: bytes, start: int, end: int) -> int:
        self._check_header(end - start)
        found = _CONTENT_LENGTH.findall(data, start, end)
        if len(found) != 1:
            self._refuse("framing", f"a message on a stream needs one Content-Length, this one has {len(found)}")
            return 0
        digits = found[0].strip()
        if not _DIGITS.fullmatch(digits):
            self._refuse("framing", f"Content-Length {digits[:40]!r} is no number")
            return 0
        length = end + 4 - start + int(digits)
        if length > self._limits.message:
            self._refuse("oversized", f"a message of {length} bytes exceeds the limit of {self._limits.message}")
        return start + length

    def _check_header(self, size: int) -> None:
        if size > self._limits.header:
            self._refuse("oversized", f"a header section exceeds the limit of {self._limits.header} bytes")

    def _refuse(self, cause: str, reason: str) -> None:
        self.error = TransportError(cause, reason)
        self._pending = bytearray()

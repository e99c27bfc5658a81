"""SIP over WebSocket (RFC 7118, RFC 6455), on wsproto: each message of the subprotocol `sip` is one SIP message."""

import contextlib
from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from transport.errors import TransportError
from transport.limits import Limits

SUBPROTOCOL: Final = "sip"


class WebSocketCodec:
    """One WebSocket endpoint: the server's when `host` is None, else the client's, asking `host` for `resource`.

    Text and binary frames are accepted (RFC 7118 section 5), whole messages are handed up as bytes. Messages that are
    valid UTF-8 are sent as text, others as binary. A WebSocket ping is the keep-alive (RFC 7118 section 6).
    """

    __slots__ = ("_connection", "_host", "_limits", "_parts", "_reply", "_resource", "_size", "_tail", "error", "pings")

    def __init__(self, limits: Limits, host: str | None = None, resource: str = "/") -> None:
        self._connection = WSConnection(ConnectionType.SERVER if host is None else ConnectionType.CLIENT)
        self._host = host
        self._resource = resource
        self._limits = limits
        self._parts: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._reply = b""
        self.error: TransportError | None = None
        self.pings = 0

    @property
    def established(self) -> bool:
        """Whether the handshake is over and the connection open."""
        return self._connection.state is ConnectionState.OPEN

    @property
    def partial(self) -> bool:
        """Whether fragments of a message are waiting for the rest."""
        return bool(self._parts)

    def start(self) -> bytes:
        """The request for an upgrade, from a client; nothing from a server."""
        if self._host is None:
            return b""
        request = Request(host=self._host, target=self._resource, subprotocols=[SUBPROTOCOL])
        return bytes(self._connection.send(request))

    def feed(self, data: bytes) -> list[bytes]:
        """The whole messages that this read completes, in order; sets `error` at what RFC 6455 forbids."""
        if self.error is not None or not data:
            return []
        messages: list[bytes] = []
        try:
            if self._host is None and not self.established:
                data = self._hear_handshake(data, messages)
            if data and self.error is None:
                self._connection.receive_data(data)
                self._hear_all(messages)
        except (RemoteProtocolError, LocalProtocolError) as error:
            self._refuse("framing" if self.established else "handshake", f"WebSocket: {error}")
            hint = getattr(error, "event_hint", None)
            if isinstance(hint, CloseConnection) or (isinstance(hint, RejectConnection) and self._host is None):
                with contextlib.suppress(LocalProtocolError):
                    self._say(hint)
        return messages

    def reply(self) -> bytes:
        """The answers to the handshake, pings and closing that are due, once."""
        reply, self._reply = self._reply, b""
        return reply

    def encode(self, message: bytes) -> bytes:
        """One message in one frame; nothing once the WebSocket is closing."""
        if not self.established:
            return b""
        try:
            return bytes(self._connection.send(TextMessage(data=message.decode())))
        except UnicodeDecodeError:
            return bytes(self._connection.send(BytesMessage(data=message)))

    def ping(self) -> bytes:
        """A ping frame; nothing unless the WebSocket is open."""
        if not self.established:
            return b""
        self.pings += 1
        return bytes(self._connection.send(Ping()))

    def ended(self) -> None:
        """The peer has sent its last byte, which ends a WebSocket in any case."""
        if self.error is None:
            if not self.established:
                self._refuse("handshake", "the peer closed the connection during the WebSocket handshake")
            elif self._parts:
                self._refuse("framing", "the peer ended within a message")
            else:
                self._refuse("closed", "the peer closed the connection")

    def close(self) -> bytes:
        """A close frame, when the WebSocket is open."""
        if not self.established:
            return self.reply()
        return bytes(self._connection.send(CloseConnection(code=CloseReason.GOING_AWAY)))

    def _hear_handshake(self, data: bytes, messages: list[bytes]) -> bytes:
        """Feed the request alone: a server of wsproto forgets frames that came in one read with it."""
        end = (self._tail + data).find(b"\r\n\r\n")
        cut = len(data) if end < 0 else end + 4 - len(self._tail)
        self._tail = (self._tail + data[:cut])[-3:]
        self._connection.receive_data(data[:cut])
        self._hear_all(messages)
        return data[cut:]

    def _hear_all(self, messages: list[bytes]) -> None:
        for event in self._connection.events():
            self._hear(event, messages)
            if self.error is not None:
                break

    def _hear(self, event: Event, messages: list[bytes]) -> None:
        if isinstance(event, (TextMessage, BytesMessage)):
            self._hear_message(event, messages)
        elif isinstance(event, Request):
            self._answer(event)
        elif isinstance(event, Ping):
            self._say(event.response())
        elif isinstance(event, Pong):
            self.pings = 0
        elif isinstance(event, CloseConnection):
            if self._connection.state is ConnectionState.REMOTE_CLOSING:
                self._say(event.response())
            if event.code in (CloseReason.NORMAL_CLOSURE, CloseReason.GOING_AWAY, CloseReason.NO_STATUS_RCVD):
                self._refuse("closed", "the peer closed the WebSocket")
            else:
                self._refuse("framing", f"the WebSocket was closed with code {int(event.code)}: {event.reason or '-'}")
        elif isinstance(event, AcceptConnection):
            if event.subprotocol != SUBPROTOCOL:
                self._refuse("handshake", "the server did not agree to the WebSocket subprotocol sip")
        elif isinstance(event, (RejectConnection, RejectData)):
            status = getattr(event, "status_code", "an error")
            self._refuse("handshake", f"the server answered {status} to the WebSocket request")

    def _hear_message(self, event: TextMessage | BytesMessage, messages: list[bytes]) -> None:
        part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self._size += len(part)
        if self._size > self._limits.message:
            self._say(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
            self._refuse("oversized", f"a message exceeds the limit of {self._limits.message} bytes")
            return
        if part:
            self._parts.append(part)
        if event.message_finished:
            whole = b"".join(self._parts).lstrip(b"\r\n")
            self._parts, self._size = [], 0
            if whole:
                messages.append(whole)

    def _answer(self, request: Request) -> None:
        if SUBPROTOCOL in request.subprotocols:
            self._say(AcceptConnection(subprotocol=SUBPROTOCOL))
        else:
            self._say(RejectConnection(status_code=400))
            self._refuse("handshake", "the client does not offer the WebSocket subprotocol sip (RFC 7118 section 4)")

    def _say(self, event: Event) -> None:
        self._reply += bytes(self._connection.send(event))

    def _refuse(self, cause: str, reason: str) -> None:
        self.error = TransportError(cause, reason)
        self._parts, self._size = [], 0

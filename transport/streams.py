"""Connections as the reactor needs them: accepted and dialled, found again, limited, and closed."""

import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from transport.address import SECURE_TRANSPORTS, Address, Flow
from transport.connection import Connection
from transport.errors import TransportError
from transport.framing import Codec, StreamCodec
from transport.loop import Loop
from transport.pool import Pool, limit_reached
from transport.tcp import TcpListener, connecting
from transport.tls import TlsLayer, TlsSettings

WEBSOCKET_TRANSPORTS: Final = ("WS", "WSS")
_FLUSH: Final = 1.0


class Streams:
    """Every connection of one reactor. `flow_to` and `find` may be used from any thread."""

    def __init__(self, loop: Loop, tls: TlsSettings | None) -> None:
        self._loop = loop
        self._tls = tls
        self._pool = Pool(loop.limits)

    def listener(self, address: Address, *, tls: TlsSettings | None, reuse_port: bool) -> TcpListener:
        """A socket that accepts connections for this address's transport. Raises ValueError without a certificate."""
        if address.transport in WEBSOCKET_TRANSPORTS:
            self._codec(address.transport, None, "/")
        layer: Callable[[], TlsLayer | None] = _no_layer
        if address.transport in SECURE_TRANSPORTS:
            settings = tls or self._tls
            if settings is None or not settings.can_serve:
                raise ValueError(f"{address}: a server needs a certificate: listen(address, tls=TlsSettings(...))")
            layer = settings.server
        return TcpListener(self._loop, address, partial(self._accepted, layer), reuse_port=reuse_port)

    def flow_to(self, remote: Address, local: Address | None, domain: str | None, resource: str) -> Flow:
        """The flow of a connection to `remote`, one that exists or one that begins now."""
        secure = remote.transport in SECURE_TRANSPORTS
        key = (remote, (domain or remote.host).lower() if secure else "")
        found = self._existing(key, local, anonymous=domain is None)
        if found is not None:
            return found.flow
        socket_address = remote.socket_address
        with self._pool.opening:
            found = self._existing(key, local, anonymous=domain is None)
            if found is not None:
                return found.flow
            if not self._room_for(str(socket_address[0]), close_now=self._loop.is_turning_here):
                raise limit_reached(remote.host)
            connection = self._dial(remote, local, domain or remote.host, resource)
            self._pool.add(connection, key)
        self._loop.tally.add("connections_dialled")
        self._loop.post(connection.open)
        return connection.flow

    def find(self, serial: int) -> Connection | None:
        """The living connection with this serial number."""
        return self._pool.numbered(serial)

    def alias(self, connection: Connection, remote: Address, domain: str) -> None:
        """Let requests for `remote` use a connection that the peer opened (RFC 5923 section 5)."""
        self._pool.alias(connection, (remote, domain.lower()))

    def close(self, error: TransportError) -> None:
        """End every connection; those whose peer is slow have `_FLUSH` seconds altogether for what waits."""
        deadline = time.monotonic() + _FLUSH
        for connection in self._pool.all():
            connection.flush(deadline)
        for connection in self._pool.all():
            connection.close(error)

    def __len__(self) -> int:
        return len(self._pool)

    def _existing(self, key: tuple[Address, str], local: Address | None, *, anonymous: bool) -> Connection | None:
        found = self._pool.find(key)
        if found is None and anonymous and key[1]:
            found = self._pool.find((key[0], ""))
        if found is None or local is None or local.is_wildcard or found.flow.local.host == local.host:
            return found
        return None

    def _accepted(
        self, layer: Callable[[], TlsLayer | None], listener: TcpListener, opened: socket.socket, remote: Address
    ) -> None:
        if not self._room_for(remote.host, close_now=True):
            self._loop.tally.add("connections_refused")
            opened.close()
            return
        connection = Connection(
            self._loop,
            opened,
            self._codec(remote.transport, None, "/"),
            layer(),
            self._pool.remove,
            local=listener.address,
            remote=remote,
            serial=self._pool.serial(),
            accepted=True,
        )
        self._pool.add(connection, (remote, ""))
        self._loop.tally.add("connections_accepted")
        connection.open()

    def _dial(self, remote: Address, local: Address | None, domain: str, resource: str) -> Connection:
        tls = None
        if remote.transport in SECURE_TRANSPORTS:
            if self._tls is None:
                self._tls = TlsSettings()
            tls = self._tls.client(domain)
        try:
            opened = connecting(remote, local)
        except OSError as error:
            raise TransportError("unreachable", f"{remote}: {error.strerror or error}") from error
        host, port = opened.getsockname()[:2]
        standard = 443 if remote.transport == "WSS" else 80
        named = domain if remote.port == standard else f"{domain}:{remote.port}"
        return Connection(
            self._loop,
            opened,
            self._codec(remote.transport, named, resource),
            tls,
            self._pool.remove,
            local=Address(remote.transport, host, port),
            remote=remote,
            serial=self._pool.serial(),
            accepted=False,
        )

    def _codec(self, transport: str, host: str | None, resource: str) -> Codec:
        if transport in WEBSOCKET_TRANSPORTS:
            # Imported when it is needed: who does without WebSocket does without its library.
            try:
                from transport.websocket import WebSocketCodec
            except ModuleNotFoundError as missing:
                raise ModuleNotFoundError("WebSocket needs wsproto: pip install 'sipdum[websocket]'") from missing
            return WebSocketCodec(self._loop.limits, host, resource)
        return StreamCodec(self._loop.limits)

    def _room_for(self, host: str, *, close_now: bool) -> bool:
        allowed, oldest = self._pool.make_room(host)
        if oldest is not None:
            self._loop.tally.add("connections_evicted")
            if close_now:
                oldest.close(limit_reached(host))
            else:
                self._loop.post(partial(oldest.close, limit_reached(host)))
        return allowed


def _no_layer() -> TlsLayer | None:
    return None

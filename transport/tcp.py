"""TCP sockets: one that accepts connections, and how a connection is begun."""

import errno
import os
import socket
from collections.abc import Callable
from typing import Final

from transport.address import Address
from transport.loop import READ, Loop

_BACKLOG: Final = 1024
_ACCEPTED_AT_ONCE: Final = 64
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE: Final = 0.25


class TcpListener:
    """A listening socket; each connection accepted is given to `accepted` with the address of its peer."""

    __slots__ = ("_accepted", "_closed", "_loop", "_socket", "address")

    def __init__(
        self,
        loop: Loop,
        address: Address,
        accepted: Callable[["TcpListener", socket.socket, Address], None],
        *,
        reuse_port: bool = False,
    ) -> None:
        self._loop = loop
        self._accepted = accepted
        self._closed = False
        self._socket = _listening(address, reuse_port)
        self.address: Final = Address(address.transport, address.host, self._socket.getsockname()[1])

    def open(self) -> None:
        """Begin, or go on, to accept."""
        if not self._closed:
            self._loop.watch(self._socket.fileno(), READ, self)

    def close(self) -> None:
        """Accept no more, and give the port back."""
        self._closed = True
        self._loop.deadlines.discard(("accept", self._socket.fileno()))
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()

    def ready(self, events: int) -> None:
        """Accept what waits."""
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, peer = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._loop.tally.add("errors_accept")
                if error.errno in _EXHAUSTED:
                    self._pause()
                    return
                continue
            prepare(accepted)
            self._accepted(self, accepted, Address(self.address.transport, peer[0], peer[1]))

    def _pause(self) -> None:
        # Out of descriptors: the listening socket stays ready, and looking at it again at once would be a busy loop.
        self._loop.unwatch(self._socket.fileno())
        when = self._loop.clock() + _PAUSE
        self._loop.deadlines.set(("accept", self._socket.fileno()), when, self.open)


def connecting(remote: Address, local: Address | None) -> socket.socket:
    """A socket whose connection to `remote` is on its way. Raises OSError when it cannot even begin; does not block."""
    opened = socket.socket(socket.AF_INET6 if remote.is_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        prepare(opened)
        if local is not None and not local.is_wildcard:
            opened.bind(Address(local.transport, local.host, 0).socket_address)
        number = opened.connect_ex(remote.socket_address)
        if number not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            raise OSError(number, os.strerror(number))
    except BaseException:
        opened.close()
        raise
    return opened


def prepare(opened: socket.socket) -> None:
    """Never block, never wait to fill a segment, and let the kernel notice a peer that vanished."""
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _listening(address: Address, reuse_port: bool) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if address.is_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.is_ipv6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if reuse_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address.socket_address)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening

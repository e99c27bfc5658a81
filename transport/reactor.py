"""The public face of the transports: listen, find a flow, send, and hear what arrives."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from transport.address import Address, Flow, local_host_for
from transport.errors import TransportError
from transport.flow_token import FlowTokens
from transport.keep_alive import KeepAlives
from transport.limits import Limits
from transport.loop import Failed, Loop, Received, logger
from transport.streams import Streams
from transport.tcp import TcpListener
from transport.tls import TlsSettings
from transport.udp import UdpSocket


class Reactor:
    """Sockets of every transport, served by one thread.

    `received(batch)` is called on the reactor's thread with a list of (bytes, Flow) in the order of arrival, whole
    messages; it must be quick. `failed(flow, error)` is called on the reactor's thread, or on the thread that called
    `send`, when bytes could not be delivered or a connection ended. A callback that raises is logged and counted.

    Either `start` gives it a thread of its own, or the application turns it by `run_once`. `each_turn`, when given, is
    called at the end of every turn and returns the reading of `clock` at which it wants to be called next, or None: a
    place for timers when one thread does everything.

    Every method may be called from any thread; a process forked from this one has to make its own.
    """

    def __init__(
        self,
        received: Received,
        failed: Failed,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        each_turn: Callable[[], float | None] | None = None,
        tls: TlsSettings | None = None,
        flow_token_secret: bytes | None = None,
        name: str = "sip reactor",
    ) -> None:
        self.limits: Final = limits or Limits()
        self.name: Final = name
        self._loop = Loop(received, failed, limits=self.limits, clock=clock, each_turn=each_turn)
        self._lock = threading.Lock()
        self._streams = Streams(self._loop, tls)
        self._keep_alives = KeepAlives(self._loop)
        self._tokens = FlowTokens(flow_token_secret)
        self._sockets: dict[Address, UdpSocket | TcpListener] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._process = os.getpid()

    def listen(self, address: Address | str, *, tls: TlsSettings | None = None, reuse_port: bool = False) -> Address:
        """Bind and begin to receive, now or as soon as the reactor runs; the bound address, port 0 resolved.

        `tls` (by default the reactor's) holds the certificate for tls and wss. `reuse_port` lets several processes or
        reactors share a port (SO_REUSEPORT). Raises OSError when the address cannot be bound, ValueError when the host
        is neither an IP address nor a name of this machine, or when a certificate is missing.
        """
        address = _local(Address.parse(address) if isinstance(address, str) else address)
        opened: UdpSocket | TcpListener
        with self._lock:
            self._must_run()
            if address.transport == "UDP":
                opened = UdpSocket(self._loop, address, self._keep_alives.answered, reuse_port=reuse_port)
            else:
                opened = self._streams.listener(address, tls=tls, reuse_port=reuse_port)
            self._sockets = {**self._sockets, opened.address: opened}
        self._loop.post(opened.open)
        return opened.address

    def close(self, address: Address) -> None:
        """Stop listening there and give the port back. Raises KeyError when nothing listens on `address`."""
        with self._lock:
            if address not in self._sockets:
                raise KeyError(f"nothing listens on {address}: see addresses")
            closing = self._sockets[address]
            self._sockets = {key: value for key, value in self._sockets.items() if key != address}
        self._loop.call(closing.close)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What is listened on, in the order of `listen`."""
        return tuple(self._sockets)

    def flow_to(
        self, remote: Address, *, local: Address | None = None, domain: str | None = None, resource: str = "/"
    ) -> Flow:
        """The flow on which to reach `remote`, from `local` when given, else from the socket that suits best.

        For UDP, at once. Else a connection that exists already (RFC 5923), or a new one, which is begun here; what is
        sent meanwhile waits. `domain` is the SIP domain that the peer's certificate must name (by default the host
        itself) and the host that a WebSocket request asks for, `resource` its path. Never blocks. Raises ValueError
        when `remote.host` is a name (resolve it first), TransportError when nothing listens that could send there, or
        the system or a limit forbids a connection.
        """
        if remote.transport == "UDP":
            return self._socket_for(remote, local).flow(remote.socket_address)
        self._must_run()
        return self._streams.flow_to(remote, local, domain, resource)

    def alias(self, flow: Flow, remote: Address, *, domain: str = "") -> None:
        """Let requests for `remote` go over the connection of `flow`, which the peer opened (RFC 5923 section 5).

        Whether the peer may claim that address is for the caller to decide; `peer_domains(flow)` helps. Does nothing
        when the connection is over. Raises ValueError for UDP.
        """
        if not flow.reliable:
            raise ValueError(f"{flow}: only connections have aliases")
        connection = self._streams.find(flow.serial)
        if connection is not None:
            self._streams.alias(connection, remote, domain)

    def peer_domains(self, flow: Flow) -> tuple[str, ...]:
        """The SIP domains that the peer's verified certificate names (RFC 5922 section 7.1); empty without one."""
        connection = self._streams.find(flow.serial)
        return connection.peer_domains if connection is not None else ()

    def close_flow(self, flow: Flow) -> None:
        """End the connection of a flow, after what has been sent on it; nothing for UDP or when it is over."""
        connection = self._streams.find(flow.serial)
        if connection is not None:
            self._loop.post(partial(connection.finish, TransportError("closed", "closed by this side")))

    def keep_alive(self, flow: Flow, interval: float) -> None:
        """Keep a flow alive: a ping on a connection, a STUN Binding request on UDP (RFC 5626 section 3.5), with pauses
        between 80 and 100 % of `interval` seconds, until the flow ends or `stop_keep_alive`.

        A flow that does not answer is dead: its connection is closed, and `failed` is told the cause `dead`. Raises
        ValueError when `interval` is not positive.
        """
        self._keep_alives.keep(flow, interval)

    def stop_keep_alive(self, flow: Flow) -> None:
        """Keep a flow alive no longer; nothing when it was not."""
        self._keep_alives.stop(flow)

    def flow_token(self, flow: Flow) -> str:
        """The flow as a text that may stand in the user part of a URI (RFC 5626 section 5.2)."""
        return self._tokens.write(flow)

    def flow_of(self, token: str) -> Flow | None:
        """The flow of a token of ours, while its connection or socket lives; None for any other text."""
        found = self._tokens.read(token)
        if found is None:
            return None
        local, remote, serial = found
        if serial:
            connection = self._streams.find(serial)
            return connection.flow if connection is not None and connection.usable else None
        bound = self._sockets.get(local)
        return bound.flow(remote.socket_address) if isinstance(bound, UdpSocket) else None

    def send(self, flow: Flow, data: bytes) -> None:
        """Send one message on a flow, or queue it; never blocks, and keeps the order of one thread's sends on a flow.

        What the network does wrong is reported to `failed`, not raised.
        """
        flow.channel.send(flow, data)

    def start(self) -> None:
        """Turn the reactor on a thread of its own. Raises RuntimeError when that was done before."""
        with self._lock:
            self._must_run()
            if self._thread is not None:
                raise RuntimeError("this reactor is already started")
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Close every socket and end the thread; False when a callback kept it busy beyond `timeout` seconds.

        May be called more than once, and in a forked child, where it gives the child's descriptors back and leaves the
        parent's sockets alone.
        """
        with self._lock:
            first, self._stopping = not self._stopping, True
            thread = self._thread
        if os.getpid() != self._process:
            # The turn's lock may have been held by a thread that does not exist in this process.
            if first:
                self._shut()
            return True
        if thread is None:
            if first:
                self._loop.call(self._shut)
            return True
        self._loop.wake()
        if thread is threading.current_thread():
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def run_once(self, timeout: float | None = None) -> bool:
        """One turn on the calling thread, waiting at most `timeout` seconds (None: as long as it takes); True when
        something happened. Raises RuntimeError after `stop`, in a forked child, and when `start` gave it a thread.
        """
        if self._thread is not None:
            raise RuntimeError("this reactor turns on its own thread: do not call start(), or do not call run_once()")
        return self._loop.run_once(timeout)

    def wake(self) -> None:
        """End the present wait for readiness, or the next, at once."""
        self._loop.wake()

    def statistics(self) -> dict[str, int]:
        """Counts since the start, as plain ints: datagrams and bytes in and out, drops and failures by cause, errors,
        and the smallest socket buffers granted."""
        counts = self._loop.tally.total()
        granted = [opened.granted() for opened in self._sockets.values() if isinstance(opened, UdpSocket)]
        counts["sockets"] = len(self._sockets)
        counts["connections"] = len(self._streams)
        counts["receive_buffer_granted"] = min((receive for receive, _ in granted), default=0)
        counts["send_buffer_granted"] = min((send for _, send in granted), default=0)
        return counts

    def _socket_for(self, remote: Address, local: Address | None) -> UdpSocket:
        sockets = self._sockets
        if local is not None and not isinstance(sockets.get(local), UdpSocket):
            raise TransportError("unreachable", f"nothing listens on {local}: see addresses")
        able = [
            found
            for key, found in sockets.items()
            if isinstance(found, UdpSocket) and key.is_ipv6 == remote.is_ipv6 and local in (None, key)
        ]
        if not able:
            kind = f"UDP over {'IPv6' if remote.is_ipv6 else 'IPv4'}"
            raise TransportError("unreachable", f"nothing listens that could reach {remote}: listen on {kind} first")
        if len(able) == 1:
            return able[0]
        with contextlib.suppress(OSError):
            source = local_host_for(remote.host)
            able.sort(key=lambda found: (found.address.host != source, not found.address.is_wildcard))
        return able[0]

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._loop.run_once()
        except Exception:
            logger.exception("the reactor %s ended", self.name)
        finally:
            self._shut()

    def _shut(self) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, {}
        for opened in sockets.values():
            opened.close()
        self._streams.close(TransportError("closed", "this side is shutting down"))
        self._loop.close()

    def _must_run(self) -> None:
        if self._stopping or os.getpid() != self._process:
            raise RuntimeError("this reactor is stopped or belongs to the parent process: make a new one")


def _local(address: Address) -> Address:
    try:
        _ = address.socket_address
    except ValueError:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise ValueError(f"{address}: {address.host!r} is neither an IP address nor a known name") from error
        return Address(address.transport, str(found[0][4][0]), address.port)
    return address

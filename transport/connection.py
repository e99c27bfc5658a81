"""One connection: a socket, perhaps TLS on it, and a codec that finds the messages.

The lock of a connection orders what several threads do with it: sending (any thread) and feeding what was read (the
reactor's thread). Nothing is called back under it; what has to happen on the reactor's thread is posted.
"""

import contextlib
import errno
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from transport.address import Address, Flow
from transport.errors import TransportError
from transport.framing import Codec
from transport.loop import READ, WRITE, Loop, logger
from transport.tls import TlsLayer

_CONNECTING: Final = "connecting"
_OPEN: Final = "open"
_HALF_CLOSED: Final = "half-closed"
_CLOSED: Final = "closed"
_CAUSES: Final = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
}


class Connection:
    """A stream to one peer, opened by us or accepted.

    `send` and `ping` may be called from any thread, the rest on the reactor's. `ended` is called once, when it is over.
    """

    __slots__ = (
        "_broken",
        "_codec",
        "_ended",
        "_finishing",
        "_flowing",
        "_lock",
        "_loop",
        "_out",
        "_since",
        "_socket",
        "_stalled_since",
        "_started",
        "_state",
        "_tls",
        "_waiting",
        "_watched",
        "accepted",
        "flow",
        "last_used",
    )

    def __init__(
        self,
        loop: Loop,
        opened: socket.socket,
        codec: Codec,
        tls: TlsLayer | None,
        ended: Callable[["Connection"], None],
        *,
        local: Address,
        remote: Address,
        serial: int,
        accepted: bool,
    ) -> None:
        self._loop = loop
        self._socket = opened
        self._codec = codec
        self._tls = tls
        self._ended = ended
        self._lock = threading.Lock()
        self._out = bytearray()
        self._waiting: deque[bytes] = deque()
        self._state = _OPEN if accepted else _CONNECTING
        self._flowing = False
        self._broken = False
        self._finishing: TransportError | None = None
        self._watched = 0
        self._started = self.last_used = loop.clock()
        self._since: float | None = None
        self._stalled_since: float | None = None
        self.accepted: Final = accepted
        self.flow = Flow(local, remote, self, remote.socket_address, serial)

    @property
    def usable(self) -> bool:
        """Whether new messages may be sent on it."""
        return self._state in (_CONNECTING, _OPEN) and not self._broken and self._finishing is None

    @property
    def pings_unanswered(self) -> int:
        """How many keep-alives were sent since the last answer to one."""
        return self._codec.pings

    @property
    def idle(self) -> bool:
        """Whether closing it now would cut nothing off."""
        return self._state == _HALF_CLOSED or not (self._codec.partial or self._out or self._waiting)

    @property
    def peer_domains(self) -> tuple[str, ...]:
        """The SIP domains of the peer's verified certificate (RFC 5922 section 7.1); empty without one."""
        return self._tls.peer_domains if self._tls is not None else ()

    def open(self) -> None:
        """Begin to be served."""
        if self._state == _CONNECTING:
            self._watch(WRITE)
        elif self._state == _OPEN:
            self._begin()
        self._check_times()

    def send(self, flow: Flow, data: bytes) -> None:
        """Send one message, or queue it until the peer has room or the handshakes are over."""
        error = None
        with self._lock:
            if self._state == _CLOSED or self._broken:
                error = TransportError("closed", f"the connection to {self.flow.remote} is closed")
            elif len(self._out) + len(data) > self._loop.limits.bytes_queued:
                error = TransportError("queue full", f"{self.flow.remote} does not read what is sent to it")
            elif self._flowing:
                self.last_used = self._loop.clock()
                self._transmit(self._codec.encode(data))
            elif sum(map(len, self._waiting)) + len(data) > self._loop.limits.bytes_queued:
                error = TransportError("queue full", f"too much waits for the connection to {self.flow.remote}")
            else:
                self._waiting.append(data)
        if error is None:
            self._loop.tally.mine()["messages_out"] += 1
        else:
            self._loop.tally.add("errors_out")
            self._loop.fail(self.flow, error)

    def ping(self) -> None:
        """Send a keep-alive, unless handshakes are under way."""
        with self._lock:
            if self._flowing and not self._broken:
                self._transmit(self._codec.ping())

    def finish(self, error: TransportError) -> None:
        """End the connection once everything sent on it is on its way, and report `error` then."""
        if self._state in (_OPEN, _HALF_CLOSED) and self._out and not self._broken:
            self._finishing = error
        else:
            self.close(error)

    def flush(self, deadline: float) -> None:
        """Wait until `deadline` (of time.monotonic) for the peer to take what waits; for the very end only."""
        with self._lock:
            if self._out and self._state != _CLOSED and not self._broken:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                with contextlib.suppress(OSError):
                    self._socket.sendall(self._out)
                    self._out.clear()
                self._broken = bool(self._out)

    def close(self, error: TransportError) -> None:
        """End the connection and report `error` on its flow."""
        with self._lock:
            if self._state == _CLOSED:
                return
            # Flow -> connection -> flow is a cycle: from here on the connection has an equal flow that leads elsewhere.
            old = self.flow
            self.flow = Flow(old.local, old.remote, _Ended(self._loop), old.socket_address, old.serial)
            self._take_leave()
            self._state = _CLOSED
            lost = bool(self._out or self._waiting)
            self._out.clear()
            self._waiting.clear()
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
        self._loop.deadlines.discard(("connection", self.flow.serial))
        self._loop.tally.add("connections_closed")
        if lost:
            self._loop.tally.add("connections_closed_with_bytes_unsent")
        self._ended(self)
        self._loop.fail(self.flow, error)

    def _take_leave(self) -> None:
        try:
            if self._flowing and not self._broken:
                self._transmit(self._codec.close())
            if self._tls is not None and not self._broken:
                self._put(self._tls.close())
        except Exception:
            self._loop.tally.add("connection_errors")
            logger.exception("taking leave of %s raised", self.flow.remote)

    def ready(self, events: int) -> None:
        """Go on with connecting, writing and reading."""
        try:
            self._go_on(events)
        except Exception:
            # A bug, here or in a library, that this peer's bytes have found: it costs this connection and no other.
            self._loop.tally.add("connection_errors")
            logger.exception("serving %s raised; its connection is closed", self.flow.remote)
            self.close(TransportError("framing", f"an internal error ended the connection with {self.flow.remote}"))

    def _go_on(self, events: int) -> None:
        if self._state == _CONNECTING:
            self._connected()
            return
        if events & WRITE and self._out:
            with self._lock:
                waiting = bytes(self._out)
                self._out.clear()
                self._put(waiting)
            self._settle()
            if self._finishing is not None and not self._out:
                self.close(self._finishing)
        if events & READ and self._state == _OPEN:
            self._read()

    def _connected(self) -> None:
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.close(_error(self.flow.remote, number))
            return
        self._state = _OPEN
        self._begin()

    def _begin(self) -> None:
        self._watch(READ)
        with self._lock:
            if self._tls is not None:
                self._put(self._tls.start())
            else:
                self._put(self._codec.start())
                self._release()

    def _read(self) -> None:
        try:
            data = self._socket.recv(self._loop.limits.read)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(_error(self.flow.remote, error.errno or 0))
            return
        self.last_used = self._loop.clock()
        counts = self._loop.tally.mine()
        counts["stream_bytes_in"] += len(data)
        with self._lock:
            messages = self._feed(data) if data else self._feed_end()
            failure = (self._tls.error if self._tls is not None else None) or self._codec.error
        if messages:
            flow = self.flow
            counts["messages_in"] += len(messages)
            self._loop.deliver([(message, flow) for message in messages])
        if failure is not None:
            self.close(failure)
        elif not data or (self._tls is not None and self._tls.ended):
            self._half_close()
        else:
            self._note_partial()

    def _feed(self, data: bytes) -> list[bytes]:
        codec, tls = self._codec, self._tls
        if tls is not None:
            began = tls.established
            data = tls.receive(data)
            self._put(tls.output())
            if tls.established and not began:
                self._transmit(codec.start())
                self._release()
            if not data:
                return []
        messages = codec.feed(data)
        reply = codec.reply()
        if reply:
            self._transmit(reply)
        if not self._flowing:
            self._release()
        return messages

    def _feed_end(self) -> list[bytes]:
        if self._tls is not None:
            self._tls.cut_off()
        self._codec.ended()
        return []

    def _half_close(self) -> None:
        """The peer has sent its last byte, but may still read answers: leave it a moment for them."""
        if self._state == _OPEN:
            self._state = _HALF_CLOSED
            self._since = self._loop.clock()
            self._watch(WRITE if self._out else 0)
            self._check_times()

    def _release(self) -> None:
        """Once handshakes are over, let out what has waited for that."""
        if self._codec.established and (self._tls is None or self._tls.established):
            self._flowing = True
            while self._waiting:
                self._transmit(self._codec.encode(self._waiting.popleft()))

    def _transmit(self, data: bytes) -> None:
        self._put(data if self._tls is None else self._tls.send(data))

    def _put(self, data: bytes) -> None:
        """Under the lock: give the socket what it takes; what it does not take waits, and the reactor is told."""
        if self._out or self._broken or not data:
            self._out += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._broken = True
            self._loop.post(partial(self.close, _error(self.flow.remote, error.errno or 0)))
            return
        self._loop.tally.mine()["stream_bytes_out"] += sent
        if sent:
            self._stalled_since = None
        if sent < len(data):
            self._out += memoryview(data)[sent:]
            self._loop.post(self._settle)

    def _settle(self) -> None:
        """Watch for room exactly while something waits for it."""
        if self._state in (_OPEN, _HALF_CLOSED):
            self._watch((self._watched & READ) | (WRITE if self._out else 0))
            if self._out and self._stalled_since is None:
                self._stalled_since = self._loop.clock()
                self._check_times()

    def _watch(self, events: int) -> None:
        if events != self._watched:
            self._watched = events
            if events:
                self._loop.watch(self._socket.fileno(), events, self)
            else:
                self._loop.unwatch(self._socket.fileno())

    def _note_partial(self) -> None:
        if not self._codec.partial:
            self._since = None
        elif self._since is None:
            self._since = self._loop.clock()
            self._check_times()

    def _check_times(self) -> None:
        """Close what took too long; else look again when the next thing could have."""
        if self._state == _CLOSED:
            return
        when, error = min(self._time_outs(), key=lambda pair: pair[0])
        if when <= self._loop.clock():
            self._loop.tally.add(f"closed_{error.cause}")
            self.close(error)
        else:
            self._loop.deadlines.set(("connection", self.flow.serial), when, self._check_times)

    def _time_outs(self) -> list[tuple[float, TransportError]]:
        limits, remote = self._loop.limits, self.flow.remote
        if not self._flowing:
            late = TransportError("timeout", f"no connection with {remote} within {limits.connect_timeout} s")
            return [(self._started + limits.connect_timeout, late)]
        idle = TransportError("idle", f"nothing was sent to or by {remote} for {limits.idle_timeout} s")
        found = [(self.last_used + limits.idle_timeout, idle)]
        if self._out and self._stalled_since is not None:
            deaf = TransportError("timeout", f"{remote} has read nothing for {limits.write_timeout} s")
            found.append((self._stalled_since + limits.write_timeout, deaf))
        if self._since is not None and self._state == _HALF_CLOSED:
            found.append(
                (self._since + limits.half_close_timeout, TransportError("closed", f"{remote} closed the connection"))
            )
        elif self._since is not None:
            slow = TransportError("timeout", f"{remote} did not complete a message in {limits.message_timeout} s")
            found.append((self._since + limits.message_timeout, slow))
        return found


class _Ended:
    """Where the flow of a connection leads that is over."""

    __slots__ = ("_loop",)

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def send(self, flow: Flow, data: bytes) -> None:
        self._loop.tally.add("errors_out")
        self._loop.fail(flow, TransportError("closed", f"the connection to {flow.remote} is closed"))


def _error(remote: Address, number: int) -> TransportError:
    return TransportError(_CAUSES.get(number, "unreachable"), f"{remote}: {os.strerror(number)}")

"""The loop under the reactor: readiness, wake-up, deadlines, and the way up.

One thread turns the loop (its own after `start`, or the caller of `run_once`). Other threads reach it by `post` and
`wake`. A wake-up is coalesced: only the first since the loop last looked writes to the descriptor. That loses nothing:
a poster appends first and tests the flag second, the loop clears the flag first and drains second, so whoever finds the
flag set knows that a draining is still to come.
"""

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from transport.address import Flow
from transport.deadlines import Deadlines
from transport.errors import TransportError
from transport.limits import Limits
from transport.tally import Tally

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
_RETIREMENT: Final = 1.0
HOT_COUNTS: Final = (
    "datagrams_in",
    "datagrams_out",
    "datagram_bytes_in",
    "datagram_bytes_out",
    "messages_in",
    "messages_out",
    "stream_bytes_in",
    "stream_bytes_out",
)

logger = logging.getLogger("transport")

type Batch = list[tuple[bytes, Flow]]
type Received = Callable[[Batch], None]
type Failed = Callable[[Flow, TransportError], None]


class Handler(Protocol):
    """Who is called when a descriptor is ready."""

    def ready(self, events: int) -> None:
        """Read or write as `events` says (READ, WRITE or both), without blocking."""


class Loop:
    """Turns readiness, posts and deadlines into calls, and carries messages and failures up.

    `post`, `wake`, `fail` and `tally` may be used from any thread, the rest only from the thread that turns the loop.
    """

    def __init__(
        self,
        received: Received,
        failed: Failed,
        *,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        each_turn: Callable[[], float | None] | None = None,
    ) -> None:
        self.limits: Final = limits
        self.clock: Final = clock
        self.tally: Final = Tally(*HOT_COUNTS)
        self.deadlines: Final = Deadlines[Callable[[], None]](clock)
        self._received = received
        self._failed = failed
        self._each_turn = each_turn
        self._next_turn: float | None = None
        self._batch: Batch = []
        self._retired: deque[socket.socket] = deque()
        self._posts: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._asleep_end, self._waking_end = socket.socketpair()
        self._asleep_end.setblocking(False)
        self._waking_end.setblocking(False)
        self._selector.register(self._asleep_end, READ, self)
        self._woken = False
        self._turning: int | None = None
        self._turn_lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False

    def watch(self, descriptor: int, events: int, handler: Handler) -> None:
        """Call `handler.ready` when the descriptor is ready; replaces what was watched before."""
        if descriptor in self._selector.get_map():
            self._selector.modify(descriptor, events, handler)
        else:
            self._selector.register(descriptor, events, handler)

    def unwatch(self, descriptor: int) -> None:
        """Call nobody for this descriptor any more; to be done before it is closed."""
        # In a forked child the kernel's interest list is still the parent's: leave it alone.
        if descriptor in self._selector.get_map() and os.getpid() == self._process:
            self._selector.unregister(descriptor)

    def post(self, function: Callable[[], None]) -> None:
        """Have the turning thread call `function` soon, in the order of posting."""
        self._posts.append(function)
        self.wake()

    def call(self, function: Callable[[], None]) -> None:
        """Have `function` called between two handlers, after what was posted before, and return when it is done.

        Blocks while the turning thread is inside a callback; called on that thread itself, it does not block.
        """
        if self.is_turning_here:
            function()
            return
        done = threading.Event()

        def called() -> None:
            try:
                function()
            finally:
                done.set()

        self.post(called)
        while not done.is_set():
            # Nobody may be turning the loop (not started, or an application between two turns): then do it here.
            if self._turn_lock.acquire(blocking=False):
                try:
                    self.drain()
                finally:
                    self._turn_lock.release()
            else:
                done.wait(0.05)

    @property
    def is_turning_here(self) -> bool:
        """Whether the calling thread is inside a turn of this loop."""
        return self._turning == threading.get_ident()

    def wake(self) -> None:
        """Make the present or the next wait for readiness return at once."""
        if self._woken:
            return
        self._woken = True
        if self.is_turning_here:
            return
        # Full: somebody else's wake-up is under way. Closed: nobody is left to be woken.
        with contextlib.suppress(OSError):
            self._waking_end.send(b"\0")

    def deliver(self, messages: Batch) -> None:
        """Hand messages up: at the end of this turn, or sooner when many have come together."""
        self._batch += messages
        if len(self._batch) >= self.limits.batch:
            self.flush()

    def flush(self) -> None:
        """Hand up what has been collected in this turn."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        try:
            self._received(batch)
        except Exception:
            self._callback_raised("received")

    def fail(self, flow: Flow, error: TransportError) -> None:
        """Hand a failure up, after the messages that came before it."""
        self.tally.add(f"failed_{error.cause.replace(' ', '_')}")
        if self.is_turning_here:
            self.flush()
        try:
            self._failed(flow, error)
        except Exception:
            self._callback_raised("failed")

    def run_once(self, timeout: float | None = None) -> bool:
        """One turn: wait for readiness at most `timeout` seconds (None: as long as it takes), then do what is due.

        True when something happened. Raises RuntimeError in a forked child, and after `close`.
        """
        if self._closed or os.getpid() != self._process:
            raise RuntimeError("this reactor is stopped or belongs to the parent process: make a new one")
        with self._turn_lock:
            self._turning = threading.get_ident()
            try:
                return self._turn(timeout)
            finally:
                self._turning = None

    def retire(self, used: socket.socket) -> None:
        """Close a socket on which other threads may just be sending.

        What it was bound to is free at once, but its descriptor's number stays taken for a while: a thread that has
        read the number and not yet entered the kernel meets a dead end, not somebody else's new socket.
        """
        try:
            dead_end, other = socket.socketpair(type=socket.SOCK_DGRAM)
        except OSError:
            # Out of descriptors: giving this one back matters more.
            used.close()
            return
        other.close()
        os.dup2(dead_end.fileno(), used.fileno(), inheritable=False)
        dead_end.close()
        self._retired.append(used)
        self.deadlines.set(("retired", used.fileno()), self.clock() + _RETIREMENT, self._close_retired)

    def _close_retired(self) -> None:
        self._retired.popleft().close()

    def close(self) -> None:
        """Give the loop's own descriptors back. Whoever watched something has unwatched it."""
        while self._retired:
            self._close_retired()
        self._closed = True
        self._selector.close()
        self._asleep_end.close()
        self._waking_end.close()

    def ready(self, events: int) -> None:
        """A wake-up arrived."""
        while True:
            try:
                if len(self._asleep_end.recv(64)) < 64:
                    return
            except BlockingIOError:
                return

    def drain(self) -> bool:
        """Do what has been posted so far; True when there was anything."""
        count = len(self._posts)
        for _ in range(count):
            self._guarded(self._posts.popleft())
        return count > 0

    def _turn(self, timeout: float | None) -> bool:
        events = self._selector.select(self._patience(timeout))
        self._woken = False
        for key, mask in events:
            handler: Handler = key.data
            try:
                handler.ready(mask)
            except Exception:
                self._callback_raised(type(handler).__name__)
        busy = self.drain() if self._posts else False
        if self.deadlines:
            for _, function in self.deadlines.due():
                busy = True
                self._guarded(function)
        self.flush()
        if self._each_turn is not None:
            self._guarded(self._ask_each_turn)
        return busy or bool(events)

    def _patience(self, timeout: float | None) -> float | None:
        if self._posts or self._woken:
            return 0.0
        when = self.deadlines.next()
        if self._next_turn is not None and (when is None or self._next_turn < when):
            when = self._next_turn
        if when is None:
            return timeout
        patience = max(0.0, when - self.clock())
        return patience if timeout is None else min(patience, timeout)

    def _ask_each_turn(self) -> None:
        self._next_turn = None
        if self._each_turn is not None:
            self._next_turn = self._each_turn()

    def _guarded(self, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception:
            self._callback_raised(getattr(function, "__qualname__", repr(function)))

    def _callback_raised(self, name: str) -> None:
        self.tally.add("callback_errors")
        logger.exception("%s raised; the reactor goes on", name)

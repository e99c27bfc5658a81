"""The pool of threads that the stack runs on: one seat for each worker, with its inbox, its timers and its handlers.

A Call-ID has its seat, so that what belongs together mostly stays with one thread; the memory transactions keep it
right when it does not. A seat is worked by one thread at a time: first all of SIP that waits, then the application's
handlers. When a handler blocks, another thread takes the seat over, so that it costs one thread and not the calls
that share its seat; the thread that comes back from it finds its seat taken and ends.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from dum.bell import Bell
from dum.runner import LANES, Timer, lane_of
from dum.stack import Stack
from stm import Fifo
from transport import Deadlines

logger = logging.getLogger(__name__)

_BATCH = 64
_PATIENCE = 0.02
_QUIET_CHECKS = 50

type Arrival = tuple[bytes, Any]


class Holder:
    """The thread that works a seat, and since when it has been in a handler: 0.0 while it is in none.

    Only the thread itself writes its time, so one that comes back to a seat taken over meanwhile spoils nothing.
    """

    __slots__ = ("handling_since", "thread")

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.handling_since = 0.0


class Seat:
    """One shard of the work, and who holds it; `holder` is replaced when the seat is taken over."""

    __slots__ = ("bell", "deadlines", "holder", "inbox", "number", "ready")

    def __init__(self, number: int, deadlines: Deadlines[Timer]) -> None:
        self.number = number
        self.deadlines = deadlines
        self.bell = Bell()
        self.inbox: Fifo[Arrival] = Fifo()
        self.ready: deque[Callable[[], None]] = deque()
        self.holder = Holder()


class Workers:
    """A pool of `count` seats, each worked by one thread; thread-safe.

    `spare_threads` bounds how many more threads may exist at once because handlers block: beyond that, a blocked
    handler stalls the calls of its seat until it returns.
    """

    def __init__(
        self,
        stack: Stack,
        deadlines: Sequence[Deadlines[Timer]],
        *,
        spare_threads: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._seats = tuple(Seat(number, shard) for number, shard in enumerate(deadlines))
        self._spare = threading.Semaphore(spare_threads)
        self._stopping = False
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._alarm = threading.Event()
        self._watching = False

    def start(self) -> None:
        """Start a thread for each seat, and the one that watches for blocked handlers."""
        for seat in self._seats:
            self._occupy(seat)
        self._start_thread(threading.Thread(target=self._watch, name="dum watch", daemon=True))

    def stop(self, timeout: float = 5.0) -> bool:
        """Let every thread finish what it is at; False when a handler kept one busy beyond `timeout` seconds."""
        self._stopping = True
        self._alarm.set()
        for seat in self._seats:
            seat.bell.ring()
        ends = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in threads if thread is not threading.current_thread())

    def received(self, batch: Sequence[tuple[bytes, Any]], call_id_of: Callable[[bytes], bytes]) -> None:
        """Hand arrived messages to the seats of their Call-IDs; called by a reactor, never blocks."""
        seats = self._seats
        for arrival in batch:
            call_id = call_id_of(arrival[0]).decode("utf-8", "surrogateescape")
            seat = seats[lane_of(call_id) % len(seats)]
            seat.inbox.put_now(arrival)
            seat.bell.ring()

    def schedule(self, lane: int, run: Callable[[], None]) -> None:
        """Have `run`, which runs handlers of the application, called on the seat of a lane."""
        seat = self._seats[lane % len(self._seats)]
        seat.ready.append(run)
        self._wake(seat)

    def woken(self, shard: int) -> None:
        """Let a seat look at its deadlines, because the earliest has moved forward."""
        self._wake(self._seats[shard])

    def queue_ages(self) -> list[float]:
        """Return how many seconds the head of each seat's inbox has waited."""
        return [seat.inbox.head_age() for seat in self._seats]

    def thread_count(self) -> int:
        """Return how many threads there are now, spare ones included."""
        with self._lock:
            return len(self._threads)

    def _wake(self, seat: Seat) -> None:
        if seat.holder.thread is not threading.current_thread():
            seat.bell.ring()

    def _start_thread(self, thread: threading.Thread) -> None:
        # Under the lock, because `stop` joins what it finds, and a thread that was never started can't be joined.
        with self._lock:
            self._threads.add(thread)
            thread.start()

    def _occupy(self, seat: Seat) -> None:
        """Give a seat to a new thread; the one that held it ends when it comes back."""
        holder = Holder()
        name = f"dum worker {seat.number}"
        holder.thread = threading.Thread(target=self._work, args=(seat, holder), name=name, daemon=True)
        seat.holder = holder
        self._start_thread(holder.thread)

    def _work(self, seat: Seat, me: Holder) -> None:
        try:
            while not self._stopping and seat.holder is me:
                self._turn(seat, me)
        except BaseException:  # a handler's sys.exit() too: it must not take the calls of this seat with it
            logger.exception("worker %d ended; its seat is taken over", seat.number)
        with self._lock:
            self._threads.discard(threading.current_thread())
        if seat.holder is not me:
            seat.bell.pass_on()
            self._spare.release()
        elif not self._stopping:
            self._occupy(seat)

    def _turn(self, seat: Seat, me: Holder) -> None:
        """Wait for work, do what SIP there is, then run the handlers that are ready."""
        stack, clock = self._stack, self._clock
        for data, flow in seat.inbox.take_nowait(_BATCH) or self._awaited(seat):
            stack.receive(data, flow)
        for _, timer in seat.deadlines.due(clock()):
            stack.fire(timer)
        if seat.ready:
            self._handle(seat, me)

    def _awaited(self, seat: Seat) -> list[Arrival]:
        """Sleep until there is something to do, unless there is already; returns what has arrived meanwhile."""
        bell = seat.bell
        bell.listen()
        # From here on whoever brings work rings, so what this look misses is not slept through. The look itself begins
        # with a lock, which keeps the processor from looking before it listens.
        arrived = seat.inbox.take_nowait(_BATCH)
        if arrived:
            return arrived
        nearest = seat.deadlines.next()
        if seat.ready or self._stopping:
            return []
        bell.sleep(None if nearest is None else nearest - self._clock())
        return seat.inbox.take_nowait(_BATCH)

    def _handle(self, seat: Seat, me: Holder) -> None:
        """Run the handlers that are ready now, as long as the seat is not taken over meanwhile."""
        for _ in range(len(seat.ready)):
            try:
                run = seat.ready.popleft()
            except IndexError:
                return
            me.handling_since = self._clock()
            if not self._watching:
                self._alarm.set()
            run()
            if seat.holder is not me:
                return
        me.handling_since = 0.0

    def _watch(self) -> None:
        """Give the seat of a thread that sits in a handler to another; sleeps while no handler runs."""
        quiet = 0
        while not self._stopping:
            if quiet >= _QUIET_CHECKS:
                self._watching = False
                if not any(seat.holder.handling_since for seat in self._seats):
                    self._alarm.wait()
                self._watching, quiet = True, 0
            # Cleared each time: a worker may raise it once more after this thread is awake, and it must not spin.
            self._alarm.clear()
            self._alarm.wait(_PATIENCE)
            now, handling = self._clock(), False
            for seat in self._seats:
                since = seat.holder.handling_since
                handling = handling or since > 0.0
                if since and now - since > _PATIENCE and not self._stopping:
                    self._take_over(seat)
            quiet = 0 if handling else quiet + 1
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _take_over(self, seat: Seat) -> None:
        if self._spare.acquire(blocking=False):
            self._occupy(seat)


__all__ = ["LANES", "Holder", "Seat", "Workers"]

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

from dum.runner import LANES, Timer, lane_of
from dum.stack import Stack
from stm import Fifo
from transport import Deadlines

logger = logging.getLogger(__name__)

_BATCH = 64
_PATIENCE = 0.02
_QUIET_CHECKS = 50

type Arrival = tuple[bytes, Any] | None


class Seat:
    """One shard of the work, and the thread that holds it; `holder` is replaced when the seat is taken over."""

    __slots__ = ("deadlines", "handling_since", "holder", "inbox", "number", "ready")

    def __init__(self, number: int, deadlines: Deadlines[Timer]) -> None:
        self.number = number
        self.deadlines = deadlines
        self.inbox: Fifo[Arrival] = Fifo()
        self.ready: deque[Callable[[], None]] = deque()
        self.holder: object = None
        self.handling_since = 0.0


class Workers:
    """A pool of `count` seats, each worked by one thread; thread-safe.

    `spare_threads` bounds how many more threads may exist at once because handlers block: beyond that, a blocked
    handler stalls the calls of its seat until it returns. `affinity(call_id)` chooses the seat of an arriving message.
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
            self._seat_thread(seat, spare=False)
        self._start_thread(self._watch, (), "dum watch")

    def stop(self, timeout: float = 5.0) -> bool:
        """Let every thread finish what it is at; False when a handler kept one busy beyond `timeout` seconds."""
        self._stopping = True
        self._alarm.set()
        for seat in self._seats:
            seat.inbox.put_now(None)
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
            seats[lane_of(call_id) % len(seats)].inbox.put_now(arrival)

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
        if seat.holder is not threading.current_thread():
            seat.inbox.put_now(None)

    def _start_thread(self, target: Callable[..., None], args: tuple[Any, ...], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()
        return thread

    def _seat_thread(self, seat: Seat, *, spare: bool) -> None:
        self._start_thread(self._work, (seat, spare), f"dum worker {seat.number}")

    def _work(self, seat: Seat, spare: bool) -> None:
        me = threading.current_thread()
        seat.holder = me
        try:
            while not self._stopping and seat.holder is me:
                self._turn(seat, me)
        except Exception:
            logger.exception("worker %d ended; its seat is taken over", seat.number)
            if seat.holder is me and not self._stopping:
                self._seat_thread(seat, spare=False)
        finally:
            with self._lock:
                self._threads.discard(me)
            if spare:
                self._spare.release()

    def _turn(self, seat: Seat, me: threading.Thread) -> None:
        """Wait for work, do what SIP there is, then run the handlers that are ready."""
        stack, clock = self._stack, self._clock
        nearest = seat.deadlines.next()
        timeout = 0.0 if seat.ready else None if nearest is None else max(0.0, nearest - clock())
        for arrival in seat.inbox.take(_BATCH, timeout):
            if arrival is not None:
                stack.receive(arrival[0], arrival[1])
        for _, timer in seat.deadlines.due(clock()):
            stack.fire(timer)
        if seat.ready:
            self._handle(seat, me)

    def _handle(self, seat: Seat, me: threading.Thread) -> None:
        """Run the handlers that are ready now, as long as the seat is not taken over meanwhile."""
        for _ in range(len(seat.ready)):
            try:
                run = seat.ready.popleft()
            except IndexError:
                return
            seat.handling_since = self._clock()
            if not self._watching:
                self._alarm.set()
            run()
            if seat.holder is not me:
                return
        seat.handling_since = 0.0

    def _watch(self) -> None:
        """Give the seat of a thread that sits in a handler to another; sleeps while no handler runs."""
        quiet = 0
        while not self._stopping:
            if quiet >= _QUIET_CHECKS:
                self._watching = False
                if not any(seat.handling_since for seat in self._seats):
                    self._alarm.wait()
                self._alarm.clear()
                self._watching, quiet = True, 0
            self._alarm.wait(_PATIENCE)
            now, handling = self._clock(), False
            for seat in self._seats:
                since = seat.handling_since
                handling = handling or since > 0.0
                if since and now - since > _PATIENCE and not self._stopping:
                    self._take_over(seat)
            quiet = 0 if handling else quiet + 1
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _take_over(self, seat: Seat) -> None:
        if not self._spare.acquire(blocking=False):
            return
        seat.handling_since = 0.0
        thread = threading.Thread(target=self._work, args=(seat, True), name=f"dum worker {seat.number}", daemon=True)
        seat.holder = thread
        with self._lock:
            self._threads.add(thread)
        thread.start()


__all__ = ["LANES", "Seat", "Workers"]

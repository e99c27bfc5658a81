"""Things to do at a later time: one thread, and a queue ordered by when they are due."""

import heapq
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Alarms:
    """Calls functions at their time, on one thread of its own, so that no handler has to wait.

    Safe from any thread. What is called must not block: it delays what is due after it. One that raises is logged and
    hurts nothing else. Use it in a with statement; what is not due at the end is dropped.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dum alarms", daemon=True)

    def __enter__(self) -> "Alarms":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` called `seconds` from now; what is due at the same time is called in the order given."""
        due = self._clock() + seconds
        with self._changed:
            self._sequence += 1
            heapq.heappush(self._queue, (due, self._sequence, action))
            if self._queue[0][1] == self._sequence:
                self._changed.notify()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:
                logger.exception("an alarm could not be worked off")

    def _next(self) -> Callable[[], None] | None:
        """Wait for what is due first and take it out; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                if not self._queue:
                    self._changed.wait()
                    continue
                remaining = self._queue[0][0] - self._clock()
                if remaining <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(remaining)
        return None

"""Work without workers: the reactor's own thread runs SIP, timers and handlers, to completion, one after another.

The cheapest way for a process that has one core, or that scales by processes. A handler that blocks stops everything.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from dum.runner import Timer
from dum.stack import Stack
from transport import Deadlines

_ONE_TURN = 256


class Inline:
    """Stands in for `Workers` when there are none: the same face, run from the end of every turn of the reactor.

    `wake` ends the reactor's wait. Commands of the application may come from any thread.
    """

    def __init__(
        self,
        stack: Stack,
        deadlines: Deadlines[Timer],
        wake: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._deadlines = deadlines
        self._wake = wake
        self._clock = clock
        self._ready: deque[Callable[[], None]] = deque()
        self._thread = 0

    def start(self) -> None:
        """Nothing to start."""

    def stop(self, timeout: float = 5.0) -> bool:
        """Nothing to stop: the reactor's thread is the reactor's."""
        return True

    def received(self, batch: Sequence[tuple[bytes, Any]], call_id_of: Callable[[bytes], bytes]) -> None:
        """Work off arrived messages, in their order."""
        self._thread = threading.get_ident()
        receive = self._stack.receive
        for data, flow in batch:
            receive(data, flow)

    def schedule(self, lane: int, run: Callable[[], None]) -> None:
        """Have `run`, which runs handlers of the application, called before this turn of the reactor ends."""
        self._ready.append(run)
        self.woken(0)

    def woken(self, shard: int) -> None:
        """Let the reactor look at the deadlines; needless on its own thread, which looks when its turn ends."""
        if threading.get_ident() != self._thread:
            self._wake()

    def turn(self) -> float | None:
        """Fire what is due and run what is ready; returns the reading of the clock to be called at next, or None."""
        self._thread = threading.get_ident()
        for _, timer in self._deadlines.due(self._clock(), _ONE_TURN):
            self._stack.fire(timer)
        for _ in range(len(self._ready)):
            self._ready.popleft()()
        return self._clock() if self._ready else self._deadlines.next()

    def queue_ages(self) -> list[float]:
        """Return nothing: what has arrived is worked off at once."""
        return []

    def thread_count(self) -> int:
        """Return 0: there is no thread beside the reactor's."""
        return 0

"""Deadlines that mostly never come due.

More than nine of ten SIP timers are stopped before they fire, so setting and discarding are what has to be cheap. Live
deadlines are in a dictionary; a binary heap of (when, sequence, key) orders them. Discarding takes the entry out of the
dictionary and leaves its heap tuple to be skipped later. Two rules keep that sound:

* the head of the heap is always live, so `next` is a look at it and `set` knows at once whether it became the earliest;
* dead tuples never outnumber the live ones by more than a constant: the heap is then rebuilt, which costs O(live) after
  at least as many discards, so a discard stays O(log n) over time, and the memory goes back.
"""

import heapq
import threading
import time
from collections.abc import Callable

type Key = str | tuple[object, ...]

_SLACK = 64


class Deadlines[Item]:
    """One shard of deadlines, each with a key and an item.

    Safe from any thread; no method blocks beyond the shard's own short lock. Times are seconds on `clock`, which is
    kept for the owner's use (`due()` without a time reads it).
    """

    __slots__ = ("_heap", "_live", "_lock", "_sequence", "clock")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, Key]] = []
        self._live: dict[Key, tuple[int, Item]] = {}
        self._sequence = 0

    def set(self, key: Key, when: float, item: Item) -> bool:
        """Set, or replace, the deadline of `key`; True when it became the earliest and the owner must be woken."""
        with self._lock:
            sequence = self._sequence = self._sequence + 1
            replaces = key in self._live
            self._live[key] = (sequence, item)
            heap = self._heap
            heapq.heappush(heap, (when, sequence, key))
            if replaces:
                self._forget_dead()
            return heap[0][1] == sequence

    def discard(self, key: Key) -> bool:
        """Forget the deadline of `key`; False when there was none, because it was never set, or discarded, or due."""
        with self._lock:
            if self._live.pop(key, None) is None:
                return False
            self._forget_dead()
            return True

    def due(self, now: float | None = None, limit: int = 256) -> list[tuple[Key, Item]]:
        """Take out what is due at `now`: at most `limit` of (key, item), in time order, ties in set order."""
        if now is None:
            now = self.clock()
        taken: list[tuple[Key, Item]] = []
        with self._lock:
            heap, live = self._heap, self._live
            while heap and heap[0][0] <= now and len(taken) < limit:
                key = heapq.heappop(heap)[2]
                taken.append((key, live.pop(key)[1]))
                self._forget_dead()
        return taken

    def next(self) -> float | None:
        """When the earliest deadline is due, or None without any."""
        with self._lock:
            return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        """Forget every deadline."""
        with self._lock:
            self._heap.clear()
            self._live.clear()

    def check(self) -> None:
        """Raise AssertionError when an invariant of this structure is broken; for tests."""
        with self._lock:
            heap, live = self._heap, self._live
            alive = [(sequence, key) for _, sequence, key in heap if key in live and live[key][0] == sequence]
            assert len(alive) == len(live), "every live deadline is in the heap exactly once"
            assert len(heap) <= 2 * len(live) + _SLACK, "the dead outnumber the living"
            assert not heap or (heap[0][1], heap[0][2]) in alive, "the head of the heap is live"
            for index in range(1, len(heap)):
                assert heap[(index - 1) >> 1] <= heap[index], "the heap is a heap"

    def __len__(self) -> int:
        return len(self._live)

    def _forget_dead(self) -> None:
        heap, live = self._heap, self._live
        while heap:
            entry = live.get(heap[0][2])
            if entry is not None and entry[0] == heap[0][1]:
                break
            heapq.heappop(heap)
        if len(heap) > 2 * len(live) + _SLACK:
            heap[:] = [entry for entry in heap if entry[2] in live and live[entry[2]][0] == entry[1]]
            heapq.heapify(heap)

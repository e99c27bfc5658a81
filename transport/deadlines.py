"""Deadlines that mostly never come due.

More than nine of ten SIP timers are stopped before they fire, so setting and discarding are what has to be cheap. A
deadline is one entry, [when, sequence, key, item], in a binary heap and, by its key, in a dictionary. Discarding takes
it out of the dictionary and blanks it; the blank leaves the heap later. Two rules keep that sound:

* the head of the heap is never blank, so `next` is a look at it and `set` knows at once whether it became the earliest;
* blanks never outnumber the living by more than a constant: the heap is then rebuilt without them, which costs
  O(living) after at least as many discards, so that a discard stays O(log n) over time, and the memory goes back.

Rebuilding is a pause for whoever shares the shard, about a millisecond for a thousand living: a reason for shards.
sortedcontainers, which has no such pause, costs twice as much for each timer (perf/transport_deadlines.py).
"""

import heapq
import threading
import time
from collections.abc import Callable
from typing import Any

type Key = str | tuple[object, ...]
# [when, sequence, key, item]; key and item are None in a blank. A list, because it compares as fast as a tuple.
type Entry = list[Any]

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
        self._heap: list[Entry] = []
        self._live: dict[Key, Entry] = {}
        self._sequence = 0

    def set(self, key: Key, when: float, item: Item) -> bool:
        """Set, or replace, the deadline of `key`; True when it became the earliest and the owner must be woken."""
        with self._lock:
            sequence = self._sequence = self._sequence + 1
            live, heap = self._live, self._heap
            old = live.get(key)
            entry = live[key] = [when, sequence, key, item]
            heapq.heappush(heap, entry)
            if old is not None:
                self._blank(old)
            return heap[0] is entry

    def discard(self, key: Key) -> bool:
        """Forget the deadline of `key`; False when there was none, because it was never set, or discarded, or due."""
        with self._lock:
            entry = self._live.pop(key, None)
            if entry is None:
                return False
            self._blank(entry)
            return True

    def due(self, now: float | None = None, limit: int = 256) -> list[tuple[Key, Item]]:
        """Take out what is due at `now`: at most `limit` of (key, item), in time order, ties in set order."""
        if now is None:
            now = self.clock()
        taken: list[tuple[Key, Item]] = []
        with self._lock:
            heap, live = self._heap, self._live
            while heap and heap[0][0] <= now and len(taken) < limit:
                _, _, key, item = heapq.heappop(heap)
                del live[key]
                taken.append((key, item))
                self._tidy()
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
            alive = [entry for entry in heap if entry[2] is not None]
            assert len(alive) == len(live), "every living deadline is in the heap exactly once"
            assert all(live[entry[2]] is entry for entry in alive), "the dictionary has the same entries"
            assert len(heap) <= 2 * len(live) + _SLACK, "the blanks outnumber the living"
            assert not heap or heap[0][2] is not None, "the head of the heap is no blank"
            for index in range(1, len(heap)):
                assert heap[(index - 1) >> 1] <= heap[index], "the heap is a heap"

    def __len__(self) -> int:
        return len(self._live)

    def _blank(self, entry: Entry) -> None:
        entry[2] = entry[3] = None
        self._tidy()

    def _tidy(self) -> None:
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
        if len(heap) > 2 * len(self._live) + _SLACK:
            heap[:] = [entry for entry in heap if entry[2] is not None]
            heapq.heapify(heap)

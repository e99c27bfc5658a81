"""Setting and stopping SIP timers: `Deadlines` beside other structures with the same promises.

Run: python -m perf.transport_deadlines. Each round sets timers as transactions do (0.5 s and 32 s ahead), stops nine of
ten before they are due, and takes out the rest. Structures are run in turn (A B A B ...); CPU time for one timer, the
median of the rounds; `longest` is the longest single call, which includes giving memory back.
"""

import statistics
import threading
import time
from collections.abc import Callable
from typing import Protocol

from sortedcontainers import SortedDict

from transport import Deadlines
from transport.deadlines import Key

ROUNDS = 7
TIMERS = 50_000


class Structure(Protocol):
    """What is compared."""

    def set(self, key: Key, when: float, item: str) -> bool: ...
    def discard(self, key: Key) -> bool: ...
    def due(self, now: float, limit: int) -> list[tuple[Key, str]]: ...


class Sorted:
    """The same on sortedcontainers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.order: SortedDict[tuple[float, int], tuple[Key, str]] = SortedDict()
        self.places: dict[Key, tuple[float, int]] = {}
        self.sequence = 0

    def set(self, key: Key, when: float, item: str) -> bool:
        with self.lock:
            old = self.places.get(key)
            if old is not None:
                del self.order[old]
            self.sequence += 1
            place = self.places[key] = (when, self.sequence)
            self.order[place] = (key, item)
            return bool(self.order.peekitem(0)[0] == place)

    def discard(self, key: Key) -> bool:
        with self.lock:
            place = self.places.pop(key, None)
            if place is None:
                return False
            del self.order[place]
            return True

    def due(self, now: float, limit: int) -> list[tuple[Key, str]]:
        taken: list[tuple[Key, str]] = []
        with self.lock:
            while self.order and len(taken) < limit and self.order.peekitem(0)[0][0] <= now:
                key, item = self.order.popitem(0)[1]
                del self.places[key]
                taken.append((key, item))
        return taken


def round_of(made: Structure, live: int) -> tuple[float, float]:
    """CPU microseconds for one timer, and the longest call in microseconds, with `live` timers standing by."""
    for number in range(live):
        made.set(f"standing {number}", 1000.0 + number, "")
    keys = [f"z9hG4bK{number:08x}" for number in range(TIMERS)]
    longest = 0.0
    began = time.process_time()
    for number, key in enumerate(keys):
        now = number / 10_000
        start = time.perf_counter()
        made.set(key, now + (0.5 if number % 2 else 32.0), key)
        if number >= 100 and number % 10:
            made.discard(keys[number - 100])
        longest = max(longest, time.perf_counter() - start)
        if number % 100 == 0:
            made.due(now, 256)
    return (time.process_time() - began) / TIMERS * 1e6, longest * 1e6


def main() -> None:
    makers: dict[str, Callable[[], Structure]] = {"Deadlines": Deadlines[str], "sortedcontainers": Sorted}
    for live in (0, 10_000, 200_000):
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in makers}
        for _ in range(ROUNDS):
            for name, make in makers.items():
                results[name].append(round_of(make(), live))
        for name, rounds in results.items():
            cost = statistics.median(cost for cost, _ in rounds)
            longest = statistics.median(longest for _, longest in rounds)
            print(f"{live:>7} standing by: {name:<17} {cost:6.2f} us a timer, longest call {longest:8.0f} us")


if __name__ == "__main__":
    main()

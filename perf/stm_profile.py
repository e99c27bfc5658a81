"""Where the time of a memory transaction goes: `python -m perf.stm_profile [--quick]`.

Bisected body costs: a ladder of functions, each doing a little more than the one before, and beside them the smallest
things that Python can do, all taken in turns (A B C A B C ...).  A rung's cost is what it adds.  Then how much a
transaction must have to think about before the memory passes more of them than one coarse lock does, and what a
look-up in a plain dict costs when another thread made what it finds.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from itertools import repeat

from perf import report, stm_throughput
from perf.stm_shapes import Body, Draws, Prepare, Twin, repeated
from stm import Fifo, Map, Ref, Transaction, atomically

METHOD = """
Processor time of the thread, microseconds for one call, median and range of the rounds, all taken in turns.
"""


class Plain:
    """A plain object, read and written as a record's slots are."""

    __slots__ = ("value", "version")

    def __init__(self) -> None:
        self.value = self.version = 0


def no_work(txn: Transaction) -> None:
    """Nothing at all."""


def two_reads(txn: Transaction, first: Ref[int], second: Ref[int]) -> None:
    txn.get(first)
    txn.get(second)


def read_and_set(txn: Transaction, record: Ref[int]) -> None:
    txn.set(record, txn.get(record))


def set_two(txn: Transaction, first: Ref[int], second: Ref[int]) -> None:
    txn.set(first, 0)
    txn.set(second, 0)


def all_four(txn: Transaction, first: Ref[int], second: Ref[int]) -> None:
    txn.set(first, txn.get(first))
    txn.set(second, txn.get(second))


def ladder() -> dict[str, Callable[[], object]]:
    """Rungs, least first."""
    first, second, plain, lock, own = Ref(0), Ref(0), Plain(), threading.Lock(), dict.fromkeys(range(3), 0)
    names: Map[int, int] = Map()
    atomically(names.insert, 1, 1)
    fifo: Fifo[int] = Fifo()

    def locked() -> None:
        with lock:
            own[0] += 1

    def slots() -> int:
        version = plain.version
        value = plain.value
        return value if plain.version is version else 0

    def come_and_go() -> None:
        atomically(names.insert, 2, 2)
        atomically(names.pop, 2)

    def in_and_out() -> None:
        fifo.put_now(1)
        fifo.take_nowait()

    return {
        "a call of a function": lambda: no_work(None),  # type: ignore[arg-type]
        "... that reads three slots": slots,
        "... that takes a lock and adds one in a dict": locked,
        "Ref.peek": first.peek,
        "Ref.update, one record without a transaction": lambda: first.update(int),
        "atomically, nothing inside": lambda: atomically(no_work),
        "atomically, one read": lambda: atomically(Transaction.get, first),
        "atomically, two reads": lambda: atomically(two_reads, first, second),
        "atomically, one blind write": lambda: atomically(Transaction.set, first, 0),
        "atomically, two blind writes": lambda: atomically(set_two, first, second),
        "atomically, 1r1w": lambda: atomically(read_and_set, first),
        "atomically, 2r2w": lambda: atomically(all_four, first, second),
        "atomically, Map.get": lambda: atomically(names.get, 1),
        "Map.peek": lambda: names.peek(1),
        "atomically, Map.insert, and again Map.pop": come_and_go,
        "Fifo.put_now and take_nowait": in_and_out,
    }


def timed(function: Callable[[], object], number: int) -> float:
    """Microseconds of the thread's processor time for one call, the loop left in."""
    start = time.thread_time_ns()
    for _ in repeat(None, number):
        function()
    return (time.thread_time_ns() - start) / number / 1000


def in_turns(functions: dict[str, Callable[[], object]], rounds: int, number: int) -> dict[str, list[float]]:
    """All figures of all functions."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            found[name].append(timed(function, number))
    return found


class Thing:
    """Made by one thread, found by another."""


def elsewhere(rounds: int, number: int) -> dict[str, list[float]]:
    """Look-ups in a dict that another thread filled."""
    things = {key: Thing() for key in range(1000, 1030)}
    names: Map[int, int] = Map()
    for key in range(1000, 1030):
        atomically(names.insert, key, key)
    functions: dict[str, Callable[[], object]] = {
        "dict[key], filled by another thread": lambda: things[1001],
        "dict.get(key), filled by another thread": lambda: things.get(1001),
        "Map.peek, filled by another thread": lambda: names.peek(1001),
        "atomically, Map.get, filled by another thread": lambda: atomically(names.get, 1001),
    }
    found: dict[str, list[float]] = {}
    thread = threading.Thread(target=lambda: found.update(in_turns(functions, rounds, number)))
    thread.start()
    thread.join()
    return found


def think(steps: int) -> None:
    """Pure work on nothing shared."""
    for _ in repeat(None, steps):
        pass


def thinking_memory(steps: int) -> Twin:
    """2r2w in the memory, with so much thinking inside."""

    def transaction(txn: Transaction, first: Ref[int], second: Ref[int]) -> None:
        values = txn.get(first), txn.get(second)
        think(steps)
        txn.set(first, values[0] + 1)
        txn.set(second, values[1] + 1)

    def twin(_: str) -> Prepare:
        records = [Ref(0) for _ in range(stm_throughput.RECORDS)]

        def prepare(draws: Draws) -> Body:
            return repeated(atomically, [(transaction, records[first], records[second]) for first, second in draws])

        return prepare

    return twin


def thinking_lock(steps: int) -> Twin:
    """2r2w under one coarse lock, with so much thinking inside."""

    def twin(_: str) -> Prepare:
        values = [0] * stm_throughput.RECORDS
        lock = threading.Lock()

        def step(first: int, second: int) -> None:
            with lock:
                seen = values[first], values[second]
                think(steps)
                values[first] = seen[0] + 1
                values[second] = seen[1] + 1

        def prepare(draws: Draws) -> Body:
            return repeated(step, list(draws))

        return prepare

    return twin


def thoughts(rounds: int, seconds: float) -> list[str]:
    """Zipf, 2r2w, four threads: the memory against one coarse lock, by how long a transaction thinks."""
    made = []
    for steps in (0, 200, 1000, 5000, 20000):
        cost = timed(lambda: think(steps), max(20, 100_000 // (steps + 1)))  # noqa: B023
        rates: dict[str, list[float]] = {"stm": [], "lock": []}
        for _ in range(rounds):
            for name, twin in (("stm", thinking_memory(steps)), ("lock", thinking_lock(steps))):
                rates[name].append(stm_throughput.window(twin(""), "zipf", 2, 4, seconds)[0])
        ratios = [own / other for own, other in zip(rates["stm"], rates["lock"], strict=True)]
        rate = {name: statistics.median(values) for name, values in rates.items()}
        made.append(
            f"  {cost:7.1f} us of thinking: stm {rate['stm']:9,.0f}/s  coarse lock {rate['lock']:9,.0f}/s  "
            f"stm over lock, pair by pair {report.spread(ratios)}"
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds, number = (5, 2_000) if options.quick else (15, 5_000)
    print("\n".join(report.head("Where the time of a memory transaction goes", METHOD)))
    print("What each thing costs, us")
    for name, values in (in_turns(ladder(), rounds, number) | elsewhere(rounds, number // 5)).items():
        print(f"  {name:46} {report.spread(values)}")
    print("\nZipf, 2r2w, 4 threads, by the work inside the transaction (wall clock)")
    print("\n".join(thoughts(3 if options.quick else 7, 0.1 if options.quick else 0.3)))


if __name__ == "__main__":
    main()

"""How memory transactions bear threads: `python -m perf.stm_scaling`, standard library only, no network.

Three tables: disjoint transactions, threads against processes (efficiency = wall time of N processes over wall time
of N threads doing the same, pair by pair, median); skewed records (zipf, s = 0.99 over 1,000) against the same under
one coarse lock; one hot record.  Needs os.fork.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import os
import platform
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable

from stm import Ref, Transaction, atomically

Work = Callable[[int], None]


def disjoint(size: int) -> Work:
    records = [Ref(0) for _ in range(size)]

    def transaction(txn: Transaction) -> None:
        for record in records:
            txn.set(record, txn.get(record) + 1)

    def work(number: int) -> None:
        for _ in range(number):
            atomically(transaction)

    return work


def in_threads(make: Callable[[], Work], count: int, number: int) -> float:
    barrier = threading.Barrier(count + 1)

    def run() -> None:
        work = make()
        work(number // 20)
        barrier.wait()
        work(number)
        barrier.wait()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    barrier.wait()
    taken = time.perf_counter() - start
    for thread in threads:
        thread.join()
    return taken


def in_processes(make: Callable[[], Work], count: int, number: int) -> float:
    starting, start_writer = os.pipe()
    reading, report = os.pipe()
    children = []
    for _ in range(count):
        child = os.fork()
        if not child:
            work = make()
            work(number // 20)
            os.write(report, b"r")
            os.read(starting, 1)
            work(number)
            os.write(report, b"d")
            os._exit(0)
        children.append(child)
    _gather(reading, count)
    start = time.perf_counter()
    os.write(start_writer, b"g" * count)
    _gather(reading, count)
    taken = time.perf_counter() - start
    for child in children:
        os.waitpid(child, 0)
    for end in (starting, start_writer, reading, report):
        os.close(end)
    return taken


def _gather(reading: int, count: int) -> None:
    while count:
        count -= len(os.read(reading, count))


def zipf(records: int, exponent: float) -> Callable[[random.Random], int]:
    weights = list(itertools.accumulate(1 / rank**exponent for rank in range(1, records + 1)))
    return lambda chance: bisect.bisect_left(weights, chance.random() * weights[-1])


def skewed_stm() -> Callable[[], Work]:
    records = [Ref(0) for _ in range(1000)]
    draw = zipf(1000, 0.99)

    def move(txn: Transaction, source: Ref[int], target: Ref[int]) -> None:
        txn.set(source, txn.get(source) - 1)
        txn.set(target, txn.get(target) + 1)

    def make() -> Work:
        chance = random.Random(threading.get_ident())
        pairs = [(records[draw(chance)], records[draw(chance)]) for _ in range(1000)]

        def work(number: int) -> None:
            for index in range(number):
                atomically(move, *pairs[index % 1000])

        return work

    return make


def skewed_lock() -> Callable[[], Work]:
    records = [0] * 1000
    draw = zipf(1000, 0.99)
    lock = threading.Lock()

    def make() -> Work:
        chance = random.Random(threading.get_ident())
        pairs = [(draw(chance), draw(chance)) for _ in range(1000)]

        def work(number: int) -> None:
            for index in range(number):
                source, target = pairs[index % 1000]
                with lock:
                    records[source] -= 1
                    records[target] += 1

        return work

    return make


def hot(seconds: float, count: int) -> list[int]:
    """Commits of each thread to one record in so many seconds."""
    record = Ref(0)
    done = [0] * count
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        commits = 0
        while time.perf_counter() < end:
            atomically(lambda txn: txn.set(record, txn.get(record) + 1))
            commits += 1
        done[number] = commits

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert record.peek() == sum(done)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"CPython {platform.python_version()}, GIL {'on' if gil else 'off'}, {os.cpu_count()} processors")
    for size in (1, 2):
        for count in options.threads:
            ratios, rates = [], []
            for _ in range(options.rounds):
                apart = in_processes(lambda: disjoint(size), count, options.number)  # noqa: B023
                shared = in_threads(lambda: disjoint(size), count, options.number)  # noqa: B023
                ratios.append(apart / shared)
                rates.append(count * options.number / shared)
            print(
                f"disjoint {size}r{size}w, {count} threads: efficiency {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f}-{max(ratios):.2f}), {statistics.median(rates):,.0f}/s"
            )
    for count in options.threads:
        rates_of = {"stm": [0.0], "one lock": [0.0]}
        for _ in range(options.rounds):
            for name, build in (("stm", skewed_stm), ("one lock", skewed_lock)):
                rates_of[name].append(count * options.number / in_threads(build(), count, options.number))
        text = ", ".join(f"{name} {statistics.median(rates[1:]):,.0f}/s" for name, rates in rates_of.items())
        print(f"zipf 2r2w, {count} threads: {text}")
    for count in options.threads:
        done = hot(1.0, count)
        print(
            f"one hot record, {count} threads: {sum(done):,}/s, least of a thread {min(done) * count / sum(done):.2f}"
        )


if __name__ == "__main__":
    main()

"""Cost of memory transactions, side by side with twins: `python -m perf.stm_shapes [--rounds N]`.

Every shape is timed in turn with its twins, round after round, in one process; the figure is the median over the
rounds of CPU seconds for one operation.  Twins that are not installed are left out, and said to be.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import platform
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from stm import Fifo, Map, Ref, Transaction, atomically

Body = Callable[[int], None]


def times(function: Callable[[], Any]) -> Body:
    def body(number: int) -> None:
        for _ in range(number):
            function()

    return body


def ours(shape: tuple[int, int]) -> Body:
    reads, writes = shape
    records = [Ref(0) for _ in range(reads)]
    written = records[:writes]

    def transaction(txn: Transaction) -> None:
        for record in records:
            value = txn.get(record)
        for record in written:
            txn.set(record, value)

    return times(lambda: atomically(transaction))


def with_lock(shape: tuple[int, int]) -> Body:
    reads, writes = shape
    lock = threading.Lock()
    records = dict.fromkeys(range(reads), 0)

    def locked() -> None:
        with lock:
            for key in range(reads):
                value = records[key]
            for key in range(writes):
                records[key] = value + 1

    return times(locked)


def bare_lock(_: tuple[int, int]) -> Body:
    lock = threading.Lock()
    records = {0: 0}

    def body(number: int) -> None:
        for _ in range(number):
            with lock:
                records[0] += 1

    return body


def atomix(shape: tuple[int, int]) -> Body:
    library = importlib.import_module("atomix_stm")
    reads, writes = shape
    records = [library.Ref(0) for _ in range(reads)]
    written = records[:writes]

    def transaction() -> None:
        for record in records:
            value = library.read(record)
        for record in written:
            library.write(record, value + 1)

    return times(lambda: library.dosync(transaction))


def map_steps(make: Callable[[int], tuple[Body, Body, Body]]) -> Callable[[tuple[int, int]], Body]:
    def build(_: tuple[int, int]) -> Body:
        def body(number: int) -> None:
            for step in make(number):
                step(number)

        return body

    return build


def map_ours(_: int) -> tuple[Body, Body, Body]:
    names: Map[int, int] = Map()

    def insert(number: int) -> None:
        for key in range(number):
            atomically(names.insert, key, key)

    def look_up(number: int) -> None:
        for key in range(number):
            atomically(names.get, key)

    def remove(number: int) -> None:
        for key in range(number):
            atomically(names.pop, key)

    return insert, look_up, remove


def map_locked(_: int) -> tuple[Body, Body, Body]:
    names: dict[int, int] = {}
    lock = threading.Lock()

    def insert(number: int) -> None:
        for key in range(number):
            with lock:
                names[key] = key

    def look_up(number: int) -> None:
        for key in range(number):
            with lock:
                names.get(key)

    def remove(number: int) -> None:
        for key in range(number):
            with lock:
                del names[key]

    return insert, look_up, remove


SHAPES: dict[str, tuple[tuple[int, int], dict[str, Callable[[tuple[int, int]], Body]]]] = {
    "1r": ((1, 0), {"stm": ours, "lock": with_lock, "atomix-stm": atomix}),
    "1r1w": ((1, 1), {"stm": ours, "lock": with_lock, "lock: d[k] += 1": bare_lock, "atomix-stm": atomix}),
    "2r2w": ((2, 2), {"stm": ours, "lock": with_lock, "atomix-stm": atomix}),
    "8r1w": ((8, 1), {"stm": ours, "lock": with_lock, "atomix-stm": atomix}),
    "32r": ((32, 0), {"stm": ours, "lock": with_lock, "atomix-stm": atomix}),
    "map insert + lookup + remove": ((0, 0), {"stm": map_steps(map_ours), "dict + lock": map_steps(map_locked)}),
}


def measure(bodies: dict[str, Body], rounds: int, number: int) -> dict[str, float]:
    """Median CPU microseconds for one operation, the bodies taken in turn."""
    seen: dict[str, list[float]] = {name: [] for name in bodies}
    for _ in range(rounds):
        for name, body in bodies.items():
            few = number // 20 if name == "atomix-stm" else number
            start = time.process_time()
            body(few)
            seen[name].append((time.process_time() - start) / few * 1e6)
    return {name: statistics.median(values) for name, values in seen.items()}


def queues(items: int, rounds: int, producers: int) -> dict[str, float]:
    """Median CPU and wall seconds to pass `items` through, by kind of queue."""
    seen: dict[str, list[float]] = collections.defaultdict(list)
    for _ in range(rounds):
        for name, run in {
            "Fifo": fifo_pass,
            "Fifo, put by 8": batched_pass,
            "SimpleQueue": simple_pass,
            "queue.Queue": locked_pass,
        }.items():
            few = items // 10 if name == "queue.Queue" else items
            start = time.perf_counter()
            run(few // producers, producers)
            seen[name].append((time.perf_counter() - start) * items / few)
    return {name: statistics.median(values) for name, values in seen.items()}


def together(bodies: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fifo_pass(items: int, pairs: int) -> None:
    fifo: Fifo[int] = Fifo()

    def produce() -> None:
        put = fifo.put_now
        for item in range(items):
            put(item)

    def consume() -> None:
        left = items
        while left:
            left -= len(fifo.take(left))

    together([produce, consume] * pairs)


def batched_pass(items: int, pairs: int) -> None:
    fifo: Fifo[int] = Fifo()
    batch = range(8)

    def produce() -> None:
        put = fifo.put_many
        for _ in range(items // 8):
            put(batch)

    def consume() -> None:
        left = items // 8 * 8
        while left:
            left -= len(fifo.take(left))

    together([produce, consume] * pairs)


def simple_pass(items: int, pairs: int) -> None:
    one_by_one(queue.SimpleQueue(), items, pairs)


def locked_pass(items: int, pairs: int) -> None:
    one_by_one(queue.Queue(), items, pairs)


def one_by_one(passed: Any, items: int, pairs: int) -> None:
    def produce() -> None:
        put = passed.put
        for item in range(items):
            put(item)

    def consume() -> None:
        get = passed.get
        for _ in range(items):
            get()

    together([produce, consume] * pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--number", type=int, default=5000)
    parser.add_argument("--items", type=int, default=300_000)
    options = parser.parse_args()
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"CPython {platform.python_version()}, GIL {'on' if gil else 'off'}; CPU us an operation, medians")
    for shape, (size, makers) in SHAPES.items():
        bodies = {}
        for name, make in makers.items():
            try:
                bodies[name] = make(size)
            except ImportError:
                print(f"  {name} is not installed")
        found = measure(bodies, options.rounds, options.number)
        print(f"{shape:30s}" + "  ".join(f"{name} {value:.2f}" for name, value in found.items()))
    for pairs in (1, 4):
        found = queues(options.items, 3, pairs)
        text = "  ".join(f"{name} {value / options.items * 1e6:.3f}" for name, value in found.items())
        print(f"queue, {pairs} to {pairs}, s a million items  " + text)


if __name__ == "__main__":
    main()

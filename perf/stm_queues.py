"""`Fifo` beside the queues of the standard library, and a sleeping `retry`: `python -m perf.stm_queues [--quick]`.

Queues: 1,000,000 items from one thread to another, and from four to four; single puts, and batches of 8 and 64 where
the queue has them.  All take their turn round after round; seconds by the wall clock for a million items, and the
processor seconds of the whole.  queue.Queue is given a tenth of the items, and its time counted ten times.

Sleeping: a thread waits in `retry` while nothing changes (processor time of the whole process), then is woken again
and again by another thread's commit.  The time runs from just before `atomically` is called to the first instruction
of the woken thread after its own `atomically`, so it holds the commit and the second run of the transaction.  Beside it
the same with a bare lock released in place of the commit: what the machine takes to wake any thread.
"""

from __future__ import annotations

import argparse
import json
import queue
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any, TypedDict

from perf.report import spread
from stm import Fifo, Ref, Transaction, atomically, retry

type Body = Callable[[int], None]
type Ends = Callable[[], tuple[Body, Body]]


class Figures(TypedDict):
    """Wall and processor seconds for a million items by queue; processor share asleep; microseconds to wake."""

    wall: dict[str, list[float]]
    cpu: dict[str, list[float]]
    asleep: float
    woken: dict[str, list[float]]


def fifo(batch: int) -> Ends:
    """stm.Fifo, put in batches of so many, taken in batches of whatever is there."""

    def ends() -> tuple[Body, Body]:
        passed: Fifo[int] = Fifo()
        some = tuple(range(batch))

        def produce(items: int) -> None:
            if batch == 1:
                for item in range(items):
                    passed.put_now(item)
            else:
                for _ in range(items // batch):
                    passed.put_many(some)

        def consume(items: int) -> None:
            left = items
            while left:
                left -= len(passed.take(left))

        return produce, consume

    return ends


def one_by_one(make: Callable[[], Any]) -> Ends:
    """A queue of the standard library."""

    def ends() -> tuple[Body, Body]:
        passed = make()

        def produce(items: int) -> None:
            put = passed.put
            for item in range(items):
                put(item)

        def consume(items: int) -> None:
            get = passed.get
            for _ in range(items):
                get()

        return produce, consume

    return ends


QUEUES: dict[str, Ends] = {
    "stm.Fifo, single puts": fifo(1),
    "stm.Fifo, batches of 8": fifo(8),
    "stm.Fifo, batches of 64": fifo(64),
    "queue.SimpleQueue": one_by_one(queue.SimpleQueue),
    "queue.Queue": one_by_one(queue.Queue),
}


def passing(ends: Ends, items: int, pairs: int) -> tuple[float, float]:
    """Wall and processor seconds until all items are through."""
    produce, consume = ends()
    barrier = threading.Barrier(2 * pairs + 1)

    def run(body: Body) -> None:
        barrier.wait()
        body(items // pairs)

    threads = [threading.Thread(target=run, args=(body,)) for body in (produce, consume) * pairs]
    for thread in threads:
        thread.start()
    barrier.wait()
    wall, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    return time.perf_counter() - wall, time.process_time() - cpu


def queues(items: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall and processor seconds for a million items, by queue and number of threads."""
    wall: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    for pairs in (1, 4):
        for _ in range(rounds):
            for name, ends in QUEUES.items():
                few = items // 10 if name == "queue.Queue" else items
                few -= few % (64 * pairs)
                taken, spent = passing(ends, few, pairs)
                title = f"{pairs} to {pairs}, {name}"
                wall.setdefault(title, []).append(taken * 1_000_000 / few)
                cpu.setdefault(title, []).append(spent * 1_000_000 / few)
    return wall, cpu


def wait_for_change(txn: Transaction, record: Ref[int], seen: int) -> int:
    value = txn.get(record)
    if value == seen:
        retry(txn)
    return value


def sleeping(seconds: float, wakings: int) -> tuple[float, list[float]]:
    """The processor share of a process that only waits in `retry`, and microseconds from commit to wake-up."""
    record = Ref(0)
    returned = 0
    arrived = threading.Semaphore(0)

    def sleep() -> None:
        nonlocal returned
        seen = 0
        while seen < wakings:
            seen = atomically(wait_for_change, record, seen)
            returned = time.perf_counter_ns()
            arrived.release()

    thread = threading.Thread(target=sleep)
    thread.start()
    time.sleep(0.05)
    spent = time.process_time()
    time.sleep(seconds)
    share = (time.process_time() - spent) / seconds
    taken = []
    for number in range(1, wakings + 1):
        time.sleep(0.002)  # let it fall asleep again
        start = time.perf_counter_ns()
        atomically(Transaction.set, record, number)
        arrived.acquire()
        taken.append((returned - start) / 1000)
    thread.join()
    return share, taken


def bare_lock(wakings: int) -> list[float]:
    """Microseconds from releasing a lock to the return of its acquire in another thread."""
    bell = threading.Lock()
    bell.acquire()
    returned = 0
    arrived = threading.Semaphore(0)

    def sleep() -> None:
        nonlocal returned
        for _ in range(wakings):
            bell.acquire()
            returned = time.perf_counter_ns()
            arrived.release()

    thread = threading.Thread(target=sleep)
    thread.start()
    taken = []
    for _ in range(wakings):
        time.sleep(0.002)
        start = time.perf_counter_ns()
        bell.release()
        arrived.acquire()
        taken.append((returned - start) / 1000)
    thread.join()
    return taken


def measure(quick: bool) -> Figures:
    """All figures."""
    wall, cpu = queues(200_000 if quick else 1_000_000, 3 if quick else 7)
    share, taken = sleeping(1.0 if quick else 5.0, 200)
    woken = {"retry": taken, "a bare lock": bare_lock(200)}
    for _ in range(0 if quick else 4):
        woken["retry"] += sleeping(0.05, 200)[1]
        woken["a bare lock"] += bare_lock(200)
    return Figures(wall=wall, cpu=cpu, asleep=share, woken=woken)


def lines(figures: Figures) -> list[str]:
    """The report for a person."""
    made = ["seconds for a million items by the wall clock, and processor seconds"]
    for name, values in figures["wall"].items():
        made.append(f"  {name:34} {spread(values, '.3f'):>24}   cpu {spread(figures['cpu'][name], '.3f'):>24}")
    made.append(f"processor share of a process with a thread asleep in retry: {figures['asleep']:.3%}")
    for name, values in figures["woken"].items():
        cuts = statistics.quantiles(values, n=100)
        made.append(f"woken after, us: {name:12} p50 {cuts[49]:.0f}  p99 {cuts[98]:.0f}  longest {max(values):.0f}")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = measure(options.quick)
    print(json.dumps(figures) if options.json else "\n".join(lines(figures)))


if __name__ == "__main__":
    main()

"""How far threads get with the memory: `python -m perf.stm_efficiency [--quick]`, pair by pair.

Efficiency is the time of N processes over the time of N threads, each doing the same number of transactions on
records of its own.  The processes share nothing, so 1.0 says that the threads share nothing that hurts; what the
machine loses both sides lose.  Pairs are taken in turn, processes first and threads first alternately; quoted are the
median and the range of the pairs' ratios, by the wall clock, as defined, and by processor time, which also tells of
contention for memory but not of waiting, and which a busy machine disturbs less.  Needs os.fork.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import threading
import time
from collections.abc import Callable

from perf import stm_maps
from perf.report import spread
from perf.stm_shapes import SHAPES, Body, Twin, memory, own_lock

type Make = Callable[[int], Body]
type Taken = tuple[float, float]  # seconds by the wall clock (or a moment of it), and processor seconds
type Ratios = dict[str, list[Taken]]

TAKEN = struct.Struct("dd")

NUMBERS = {"1r": 60_000, "1r1w": 40_000, "2r2w": 20_000, "8r1w": 10_000, "32r": 4_000, "map insert + remove": 10_000}


def maker(twin: Twin, shape: str) -> Make:
    """What makes a thread's body on its own records of one shared memory."""
    prepare = twin(shape)
    count = SHAPES.get(shape, (1, 0))[0]
    if shape in SHAPES:
        return lambda number: prepare([tuple(range(number * 100, number * 100 + count))])
    return lambda number: prepare([(key,) for key in range(number * 1000, number * 1000 + 256)])


def in_threads(make: Make, count: int, number: int) -> Taken:
    """Seconds until the last thread is done, and processor seconds of all."""
    starts: list[float] = []
    ends: list[Taken] = []
    barrier = threading.Barrier(count, action=lambda: starts.append(time.perf_counter()))

    def run(index: int) -> None:
        body = make(index)
        body(number // 20)
        barrier.wait()
        ends.append(ended(body, number))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(end for end, _ in ends) - starts[0], sum(spent for _, spent in ends)


def ended(body: Body, number: int) -> Taken:
    """When a body has run, and the processor seconds that its thread needed."""
    spent = time.thread_time()
    body(number)
    return time.perf_counter(), time.thread_time() - spent


def in_processes(make: Make, count: int, number: int) -> Taken:
    """The same of processes.  The clock is one for the whole system."""
    starting, start_writer = os.pipe()
    reading, report = os.pipe()
    children = []
    for index in range(count):
        child = os.fork()
        if not child:
            try:
                body = make(index)
                body(number // 20)
                os.write(report, TAKEN.pack(0.0, 0.0))
                os.read(starting, 1)
                os.write(report, TAKEN.pack(*ended(body, number)))
            finally:
                os._exit(0)
        children.append(child)
    os.close(report)
    reports(reading, count)
    start = time.perf_counter()
    os.write(start_writer, b"g" * count)
    ends = reports(reading, count)
    for child in children:
        os.waitpid(child, 0)
    for end in (starting, start_writer, reading):
        os.close(end)
    return max(end for end, _ in ends) - start, sum(spent for _, spent in ends)


def reports(reading: int, count: int) -> list[Taken]:
    """What each child has to say, in any order."""
    found: list[Taken] = []
    while len(found) < count:
        received = os.read(reading, TAKEN.size)  # short writes to a pipe arrive whole
        if not received:
            raise ChildProcessError("a process ended before its work was done")
        found.append(TAKEN.unpack(received))
    return found


def measure(quick: bool) -> Ratios:
    """The ratios of all pairs by what was run."""
    rounds, part = (5, 3) if quick else (9, 1)
    plans: list[tuple[str, Twin, int]] = [(shape, memory, 2) for shape in SHAPES]
    plans += [("map insert + remove", stm_maps.TWINS["stm.Map"], 2)]
    plans += [(shape, memory, threads) for threads in (4, 8) for shape in ("1r1w", "2r2w")]
    plans += [("1r1w", own_lock, 2)]
    found: Ratios = {}
    for shape, twin, count in plans:
        number = NUMBERS[shape] // part * 2 // count
        ratios = found[f"{shape}, {count} threads{', plain lock of its own' if twin is own_lock else ''}"] = []
        for turn in range(rounds):
            if turn % 2:
                apart = in_processes(maker(twin, shape), count, number)
                shared = in_threads(maker(twin, shape), count, number)
            else:
                shared = in_threads(maker(twin, shape), count, number)
                apart = in_processes(maker(twin, shape), count, number)
            ratios.append((apart[0] / shared[0], apart[1] / shared[1]))
    return found


def lines(found: Ratios) -> list[str]:
    """The report for a person."""
    return [
        f"{name:42} by wall clock {spread([wall for wall, _ in pairs]):18}   "
        f"by processor time {spread([cpu for _, cpu in pairs])}"
        for name, pairs in found.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the ratios as JSON")
    options = parser.parse_args()
    found = measure(options.quick)
    print(json.dumps(found) if options.json else "\n".join(lines(found)))


if __name__ == "__main__":
    main()

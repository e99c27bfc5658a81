"""A large map under three threads, and what an entry weighs: `python -m perf.stm_pauses [--quick]`.

Two threads insert 1,000,000 keys, half each, while a third looks keys up; every single operation is timed, by the
wall clock and by its thread's processor time.  Each container has a process of its own, once with Python's collector
as it comes and once with automatic collection off, as a server would have it (docs say when it collects instead).
The wall clock also shows when the machine gave the core to somebody else; so beside the maps the same three threads
run with *no map*: private work of some microseconds in place of insert and lookup.  Memory: growth of the resident
set over all entries, keys and values made before.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any, TypedDict

from perf.report import ROOT, spread
from stm import Map, atomically

type Operation = Callable[[int], Any]


class Pauses(TypedDict):
    """The slowest single operation in milliseconds, by wall clock and processor time, and bytes for an entry."""

    insert_wall: float
    insert_cpu: float
    lookup_wall: float
    lookup_cpu: float
    entry: float
    seconds: float


def memory() -> tuple[Operation, Operation]:
    """stm.Map."""
    names: Map[int, int] = Map()
    return lambda key: atomically(names.insert, key, key), lambda key: atomically(names.get, key)


def locked() -> tuple[Operation, Operation]:
    """dict + lock."""
    names: dict[int, int] = {}
    lock = threading.Lock()

    def insert(key: int) -> None:
        with lock:
            names[key] = key

    def look_up(key: int) -> None:
        with lock:
            names.get(key)

    return insert, look_up


def atomic_dict() -> tuple[Operation, Operation]:
    """cereggii.AtomicDict."""
    names = importlib.import_module("cereggii").AtomicDict()
    return lambda key: names.__setitem__(key, key), lambda key: names.get(key)


def no_map() -> tuple[Operation, Operation]:
    """No map at all, but as much work for an insert: what the machine and the measuring do by themselves."""

    def work(key: int) -> None:
        for _ in repeat(None, 600):
            pass

    return work, work


MAPS = {"stm.Map": memory, "dict + lock": locked, "cereggii.AtomicDict": atomic_dict, "no map": no_map}


def resident() -> int:
    """This process's resident set in bytes; its peak where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def slowest(operation: Operation, keys: list[int], ended: threading.Event | None = None) -> tuple[int, int]:
    """Nanoseconds of the slowest operation, wall clock and processor; again and again until `ended`, if given."""
    wall = spent = 0
    clock, own = time.perf_counter_ns, time.thread_time_ns
    while True:
        for key in keys:
            begun, begun_own = clock(), own()
            operation(key)
            taken_own, taken = own() - begun_own, clock() - begun
            if taken > wall:
                wall = taken
            if taken_own > spent:
                spent = taken_own
            if ended is not None and ended.is_set():
                return wall, spent
        if ended is None:
            return wall, spent


def one(name: str, entries: int, collecting: bool) -> Pauses:
    """One container in this process."""
    insert, look_up = MAPS[name]()
    for key in range(-1000, 0):
        insert(key)
    halves = [list(range(0, entries, 2)), list(range(1, entries, 2))]
    looked = list(range(-1000, 0)) + halves[0][::97] + halves[1][::89]
    ended = threading.Event()
    figures: dict[str, tuple[int, int]] = {}
    gc.collect()
    if not collecting:
        gc.disable()
    before, begun = resident(), time.perf_counter()

    def write(number: int) -> None:
        figures[str(number)] = slowest(insert, halves[number])

    def read() -> None:
        figures["read"] = slowest(look_up, looked, ended)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    seconds = time.perf_counter() - begun
    ended.set()
    reader.join()
    return Pauses(
        insert_wall=max(figures["0"][0], figures["1"][0]) / 1e6,
        insert_cpu=max(figures["0"][1], figures["1"][1]) / 1e6,
        lookup_wall=figures["read"][0] / 1e6,
        lookup_cpu=figures["read"][1] / 1e6,
        entry=(resident() - before) / entries,
        seconds=seconds,
    )


def measure(entries: int, rounds: int) -> dict[str, list[Pauses]]:
    """Every container, each time in a process of its own, in turn."""
    found: dict[str, list[Pauses]] = {}
    for _ in range(rounds):
        for name in MAPS:
            for collecting in (False, True):
                if collecting and name == "no map":
                    continue
                command = [sys.executable, "-m", "perf.stm_pauses", "--one", name, str(entries), str(int(collecting))]
                done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
                if done.returncode:
                    continue
                title = f"{name}, collector {'as it comes' if collecting else 'off'}"
                found.setdefault(title, []).append(json.loads(done.stdout))
    return found


def lines(found: dict[str, list[Pauses]]) -> list[str]:
    """The report for a person."""
    made = ["slowest operation in ms: insert by wall clock (by processor time), lookup likewise; bytes for an entry"]
    for name, rounds in found.items():
        columns = [
            [each["insert_wall"] for each in rounds],
            [each["insert_cpu"] for each in rounds],
            [each["lookup_wall"] for each in rounds],
            [each["lookup_cpu"] for each in rounds],
        ]
        text = [spread(column, ".1f") for column in columns]
        weight = statistics.median(each["entry"] for each in rounds)
        taken = statistics.median(each["seconds"] for each in rounds)
        shown = f"insert {text[0]} [{text[1]}]  lookup {text[2]} [{text[3]}]"
        made.append(f"  {name:42} {shown}  {weight:.0f} bytes, {taken:.1f} s in all")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, metavar="NUMBER")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--one", nargs=3, metavar=("MAP", "ENTRIES", "COLLECTING"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]), options.one[2] == "1")))
        return
    found = measure(200_000 if options.quick else 1_000_000, options.rounds or (1 if options.quick else 2))
    print(json.dumps(found) if options.json else "\n".join(lines(found)))


if __name__ == "__main__":
    main()

"""The steps of `stm.Map` and of its twins: insert, look up and remove, each for many keys, one at a time."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from itertools import batched, cycle, islice

from perf.stm_shapes import STRIPES, Body, Draws, Prepare, Twin
from stm import Map, atomically

type Keys = Iterable[int]
type Step = Callable[[Keys], None]
type Steps = tuple[Step, Step, Step]

STEPS = ("map insert", "map lookup", "map remove")
SHAPES = ("map lookup", "map insert + remove")


def memory() -> Steps:
    """sipdum's Map, each step a memory transaction of its own."""
    names: Map[int, int] = Map()

    def insert(keys: Keys) -> None:
        for key in keys:
            atomically(names.insert, key, key)

    def look_up(keys: Keys) -> None:
        for key in keys:
            atomically(names.get, key)

    def remove(keys: Keys) -> None:
        for key in keys:
            atomically(names.pop, key)

    return insert, look_up, remove


def locked() -> Steps:
    """One lock around one dict."""
    lock = threading.Lock()
    names: dict[int, int] = {}

    def insert(keys: Keys) -> None:
        for key in keys:
            with lock:
                names[key] = key

    def look_up(keys: Keys) -> None:
        for key in keys:
            with lock:
                names.get(key)

    def remove(keys: Keys) -> None:
        for key in keys:
            with lock:
                del names[key]

    return insert, look_up, remove


def striped() -> Steps:
    """A lock and a dict for each stripe of the keys."""
    stripes: list[tuple[threading.Lock, dict[int, int]]] = [(threading.Lock(), {}) for _ in range(STRIPES)]

    def insert(keys: Keys) -> None:
        for key in keys:
            lock, names = stripes[key % STRIPES]
            with lock:
                names[key] = key

    def look_up(keys: Keys) -> None:
        for key in keys:
            lock, names = stripes[key % STRIPES]
            with lock:
                names.get(key)

    def remove(keys: Keys) -> None:
        for key in keys:
            lock, names = stripes[key % STRIPES]
            with lock:
                del names[key]

    return insert, look_up, remove


def atomic_dict() -> Steps:
    """cereggii's AtomicDict, a C extension; ImportError where it is not installed."""
    names = importlib.import_module("cereggii").AtomicDict()

    def insert(keys: Keys) -> None:
        for key in keys:
            names[key] = key

    def look_up(keys: Keys) -> None:
        for key in keys:
            names.get(key)

    def remove(keys: Keys) -> None:
        for key in keys:
            del names[key]

    return insert, look_up, remove


MAPS: dict[str, Callable[[], Steps]] = {
    "stm.Map": memory,
    "dict + lock": locked,
    "dicts + striped locks": striped,
    "cereggii.AtomicDict": atomic_dict,
}


def twin_of(make: Callable[[], Steps]) -> Twin:
    """The steps of one map as a twin for the throughput of `SHAPES`."""

    def twin(shape: str) -> Prepare:
        insert, look_up, remove = make()

        def prepare(draws: Draws) -> Body:
            keys = [key for (key,) in draws]
            if shape == "map lookup":
                return lambda number: look_up(islice(cycle(keys), number))

            def come_and_go(number: int) -> None:
                for part in batched(islice(cycle(keys), number // 2), len(keys), strict=False):
                    insert(part)
                    remove(part)

            return come_and_go

        if shape == "map lookup":
            insert(range(2000))  # more than any thread draws
        return prepare

    return twin


TWINS: dict[str, Twin] = {name: twin_of(make) for name, make in MAPS.items()}

"""What the memory's benchmarks run: each shape of transaction, in sipdum's memory and in its twins.

A twin is made with `twin(shape)`, which gives the state that all threads share; the result is called in each thread
with the records that this thread draws, one tuple for each transaction, and gives what runs a number of them.  Records
are made by the first thread that draws them, so that disjoint threads own theirs.
"""

from __future__ import annotations

import functools
import importlib
import logging
import threading
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

from stm import Ref, Transaction, atomically

type Draws = list[tuple[int, ...]]
type Body = Callable[[int], None]
type Prepare = Callable[[Draws], Body]
type Twin = Callable[[str], Prepare]

STRIPES = 64

# Shape -> how many records it reads, and how many of these it writes.
SHAPES = {"1r": (1, 0), "1r1w": (1, 1), "2r2w": (2, 2), "8r1w": (8, 1), "32r": (32, 0)}


def read_one(txn: Transaction, record: Ref[int]) -> int:
    return txn.get(record)


def change_one(txn: Transaction, record: Ref[int]) -> None:
    txn.set(record, txn.get(record) + 1)


def change_two(txn: Transaction, first: Ref[int], second: Ref[int]) -> None:
    txn.set(first, txn.get(first) + 1)
    txn.set(second, txn.get(second) + 1)


def read_all_change_one(txn: Transaction, *records: Ref[int]) -> None:
    for record in records:
        value = txn.get(record)
    txn.set(records[0], value + 1)


def read_all(txn: Transaction, *records: Ref[int]) -> None:
    for record in records:
        txn.get(record)


TRANSACTIONS: dict[str, Callable[..., Any]] = {
    "1r": read_one,
    "1r1w": change_one,
    "2r2w": change_two,
    "8r1w": read_all_change_one,
    "32r": read_all,
}


def repeated(step: Callable[..., Any], choices: list[tuple[Any, ...]]) -> Body:
    def body(number: int) -> None:
        for chosen in islice(cycle(choices), number):
            step(*chosen)

    return body


def memory(shape: str) -> Prepare:
    """sipdum's stm."""
    records: dict[int, Ref[int]] = {}
    transaction = TRANSACTIONS[shape]

    def prepare(draws: Draws) -> Body:
        choices = [tuple(records.setdefault(number, Ref(0)) for number in draw) for draw in draws]

        def body(number: int) -> None:
            for chosen in islice(cycle(choices), number):
                atomically(transaction, *chosen)

        return body

    return prepare


def locked_read_one(lock: threading.Lock, values: dict[int, int], key: int) -> int:
    with lock:
        return values[key]


def locked_change_one(lock: threading.Lock, values: dict[int, int], key: int) -> None:
    with lock:
        values[key] += 1


def locked_change_two(lock: threading.Lock, values: dict[int, int], first: int, second: int) -> None:
    with lock:
        values[first] += 1
        values[second] += 1


def locked_read_all_change_one(lock: threading.Lock, values: dict[int, int], *keys: int) -> None:
    with lock:
        for key in keys:
            value = values[key]
        values[keys[0]] = value + 1


def locked_read_all(lock: threading.Lock, values: dict[int, int], *keys: int) -> None:
    with lock:
        for key in keys:
            values[key]


LOCKED: dict[str, Callable[..., Any]] = {
    "1r": locked_read_one,
    "1r1w": locked_change_one,
    "2r2w": locked_change_two,
    "8r1w": locked_read_all_change_one,
    "32r": locked_read_all,
}


def coarse_lock(shape: str) -> Prepare:
    """One lock around one dict of all records."""
    lock = threading.Lock()
    values: dict[int, int] = {}

    def prepare(draws: Draws) -> Body:
        for draw in draws:
            for number in draw:
                values.setdefault(number, 0)
        return repeated(functools.partial(LOCKED[shape], lock, values), list(draws))

    return prepare


def own_lock(shape: str) -> Prepare:
    """A plain `with lock` that no other thread uses, around a dict that no other thread uses; for disjoint records."""
    return lambda draws: coarse_lock(shape)(draws)


def inline_lock(_: str) -> Prepare:
    """Just `with lock: d[k] += 1`, without even a function call."""

    def prepare(draws: Draws) -> Body:
        lock = threading.Lock()
        values = {key: 0 for (key,) in draws}

        def body(number: int) -> None:
            for (key,) in islice(cycle(draws), number):
                with lock:
                    values[key] += 1

        return body

    return prepare


def locked_in_order(locks: list[threading.Lock], places: list[tuple[dict[int, int], int]], writes: int) -> None:
    for lock in locks:
        lock.acquire()
    try:
        for values, key in places:
            value = values[key]
        for values, key in places[:writes]:
            values[key] = value + 1
    finally:
        for lock in locks:
            lock.release()


def striped_locks(shape: str) -> Prepare:
    """A lock and a dict for each stripe of the records; several stripes are locked in order."""
    stripes: list[tuple[threading.Lock, dict[int, int]]] = [(threading.Lock(), {}) for _ in range(STRIPES)]
    writes = SHAPES[shape][1]

    def prepare(draws: Draws) -> Body:
        choices: list[tuple[Any, ...]] = []
        for draw in draws:
            for number in draw:
                stripes[number % STRIPES][1].setdefault(number, 0)
            locks = [stripes[index][0] for index in sorted({number % STRIPES for number in draw})]
            choices.append((locks, [(stripes[number % STRIPES][1], number) for number in draw], writes))
        return repeated(locked_in_order, choices)

    return prepare


def atomix(shape: str) -> Prepare:
    """atomix-stm from PyPI; ImportError where it is not installed."""
    logging.disable(logging.INFO)  # it tells of itself at import and at exit
    library = importlib.import_module("atomix_stm")
    records: dict[int, Any] = {}
    writes = SHAPES[shape][1]

    def transaction(*chosen: Any) -> None:
        for record in chosen:
            value = library.read(record)
        for record in chosen[:writes]:
            library.write(record, value + 1)

    def prepare(draws: Draws) -> Body:
        choices = [tuple(records.setdefault(number, library.Ref(0)) for number in draw) for draw in draws]
        return repeated(library.dosync, [(functools.partial(transaction, *chosen),) for chosen in choices])

    return prepare


TWINS: dict[str, Twin] = {
    "stm": memory,
    "own lock": own_lock,
    "coarse lock": coarse_lock,
    "striped locks": striped_locks,
    "atomix-stm": atomix,
}


def installed(twins: dict[str, Twin], shape: str) -> dict[str, Twin]:
    """The twins that can be made here."""
    found = {}
    for name, twin in twins.items():
        try:
            twin(shape)
        except ImportError:
            continue
        found[name] = twin
    return found

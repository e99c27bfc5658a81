"""Running until it commits: bounds, nesting, and a turn for the one that keeps losing."""

from __future__ import annotations

import threading

import pytest

from stm import Map, NestedTransaction, Ref, TimedOut, TooManyAttempts, Transaction, atomically, retry, statistics
from stm.contention import PATIENCE


def disturb(record: Ref[int]) -> None:
    thread = threading.Thread(target=lambda: record.update(lambda value: value + 1))
    thread.start()
    thread.join(0.05)  # the elder holds the record's lock: then the update waits, and the elder goes on


def test_starvation_ends_with_a_turn() -> None:
    record, other = Ref(0), Ref(0)
    runs = []

    def body(txn: Transaction) -> None:
        runs.append(txn.get(record))
        disturb(record)
        txn.set(other, txn.get(record))

    before = statistics()["elders"]
    atomically(body)
    assert len(runs) == PATIENCE + 1
    assert statistics()["elders"] == before + 1


def test_starvation_of_one_that_reads_a_whole_map() -> None:
    names: Map[int, int] = Map(4)
    stop = threading.Event()

    def churn() -> None:
        key = 0
        while not stop.is_set():
            atomically(names.set, key % 50, key)
            atomically(names.pop, (key + 25) % 50, None)
            key += 1

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            atomically(lambda txn: names.set(txn, 99, names.len(txn)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert names.size() == len(names.snapshot())


def test_attempts_are_bounded() -> None:
    record, other = Ref(0), Ref(0)

    def body(txn: Transaction) -> None:
        txn.get(record)
        disturb(record)
        txn.set(other, 1)

    before = statistics()["conflicts"].get("bounded", 0)
    with pytest.raises(TooManyAttempts):
        atomically(body, attempts=3, label="bounded")
    assert statistics()["conflicts"]["bounded"] == before + 3
    assert other.peek() == 0


def test_time_is_bounded() -> None:
    record = Ref(0)

    def body(txn: Transaction) -> None:
        if not txn.get(record):
            retry(txn)

    with pytest.raises(TimedOut):
        atomically(body, timeout=0.01)


def test_atomically_inside_is_refused_and_the_thread_recovers() -> None:
    with pytest.raises(NestedTransaction):
        atomically(lambda txn: atomically(lambda txn: None))
    assert atomically(lambda txn: 1) == 1

"""retry, or_else and sleeping."""

from __future__ import annotations

import threading
import time

import pytest

from stm import Map, NothingRead, Ref, Transaction, atomically, or_else, retry
from stm.waiting import Sleeper


def wait_for(txn: Transaction, record: Ref[int]) -> int:
    return txn.get(record) or retry(txn)


def test_retry_sleeps_until_a_change() -> None:
    record = Ref(0)
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(atomically(wait_for, record, timeout=20)))
    thread.start()
    atomically(lambda txn: txn.set(record, 3))
    thread.join()
    assert results == [3]


def test_retry_is_woken_by_the_insert_of_a_key_that_was_missing() -> None:
    names: Map[str, int] = Map()
    results: list[int] = []

    def wait(txn: Transaction) -> int:
        value: int | None = names.get(txn, "a")
        return retry(txn) if value is None else value

    thread = threading.Thread(target=lambda: results.append(atomically(wait, timeout=20)))
    thread.start()
    atomically(names.insert, "a", 3)
    thread.join()
    assert results == [3]


def test_retry_after_a_scan_is_woken_by_any_insert() -> None:
    names: Map[str, int] = Map()

    def wait(txn: Transaction) -> None:
        if not names.len(txn):
            retry(txn)

    thread = threading.Thread(target=lambda: atomically(wait, timeout=20))
    thread.start()
    atomically(names.insert, "a", 3)
    thread.join()


def test_a_sleeping_retry_uses_no_processor() -> None:
    record = Ref(0)
    thread = threading.Thread(target=lambda: atomically(wait_for, record, timeout=20))
    thread.start()
    used = time.process_time()
    threading.Event().wait(0.2)
    used = time.process_time() - used
    atomically(lambda txn: txn.set(record, 1))
    thread.join()
    assert used < 0.1


def test_or_else_takes_the_first_that_does_not_retry() -> None:
    left, right = Ref(0), Ref(2)

    def first(txn: Transaction) -> int:
        txn.set(right, 9)
        return wait_for(txn, left)

    assert atomically(lambda txn: or_else(txn, first, lambda txn: txn.get(right))) == 2
    assert right.peek() == 2


def test_or_else_is_woken_by_either() -> None:
    left, right = Ref(0), Ref(0)
    results: list[int] = []

    def either(txn: Transaction) -> int:
        return or_else(txn, lambda txn: wait_for(txn, left), lambda txn: wait_for(txn, right))

    thread = threading.Thread(target=lambda: results.append(atomically(either, timeout=20)))
    thread.start()
    atomically(lambda txn: txn.set(left, 4))
    thread.join()
    assert results == [4]


def test_retry_without_a_read_is_refused() -> None:
    with pytest.raises(NothingRead):
        atomically(retry)


def test_nobody_stays_on_a_list_after_waking() -> None:
    record = Ref(0)
    with pytest.raises(TimeoutError):
        atomically(wait_for, record, timeout=0.01)
    assert record._guard.sleepers is None


def test_a_sleeper_may_be_woken_twice_and_before_it_sleeps() -> None:
    sleeper = Sleeper()
    sleeper.wake()
    sleeper.wake()
    assert sleeper.sleep(None)

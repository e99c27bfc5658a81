"""Counter: blind adds, consistent reads."""

from __future__ import annotations

import threading

from stm import Counter, Transaction, atomically


def test_adds_of_many_threads_add_up() -> None:
    counter = Counter()

    def body() -> None:
        for _ in range(500):
            atomically(lambda txn: counter.add(txn, 2))

    threads = [threading.Thread(target=body) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.peek() == 4000
    assert atomically(counter.get) == 4000


def test_own_adds_are_seen_and_given_up_ones_leave_nothing() -> None:
    counter = Counter()

    def body(txn: Transaction) -> None:
        counter.add(txn, 3)
        assert counter.get(txn) == 3
        raise LookupError

    try:
        atomically(body)
    except LookupError:
        assert counter.peek() == 0

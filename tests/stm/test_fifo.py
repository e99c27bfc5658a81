"""Fifo against a plain deque, bounds, waiting, age."""

from __future__ import annotations

import threading
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stm import Fifo, Full, Transaction, atomically, or_else


class FifoIsADeque(RuleBasedStateMachine):
    """Puts and takes of all kinds on a Fifo and on a deque."""

    def __init__(self) -> None:
        super().__init__()
        self.fifo: Fifo[int] = Fifo()
        self.model: deque[int] = deque()

    @rule(item=st.integers())
    def put_now(self, item: int) -> None:
        self.fifo.put_now(item)
        self.model.append(item)

    @rule(items=st.lists(st.integers(), max_size=5), gives_up=st.booleans())
    def put(self, items: list[int], gives_up: bool) -> None:
        def body(txn: Transaction) -> None:
            for item in items:
                self.fifo.put(txn, item)
            if gives_up:
                raise LookupError

        if gives_up:
            with pytest.raises(LookupError):
                atomically(body)
        else:
            atomically(body)
            self.model.extend(items)

    @rule(items=st.lists(st.integers(), max_size=5))
    def put_many(self, items: list[int]) -> None:
        self.fifo.put_many(items)
        self.model.extend(items)

    @rule(limit=st.integers(1, 4))
    def take(self, limit: int) -> None:
        batch = self.fifo.take(limit, timeout=0)
        assert bool(batch) == bool(self.model)
        assert len(batch) <= limit
        assert batch == [self.model.popleft() for _ in batch]

    @rule(limit=st.integers(1, 4), twice=st.booleans())
    def get(self, limit: int, twice: bool) -> None:
        def body(txn: Transaction) -> list[int]:
            found = self.fifo.get_many(txn, limit)
            if twice:
                found += or_else(txn, lambda txn: self.fifo.get_many(txn, limit), lambda txn: [])
            return found

        batch = atomically(lambda txn: or_else(txn, body, lambda txn: []))
        wanted = min(len(self.model), limit * (2 if twice else 1))
        assert batch == [self.model.popleft() for _ in range(wanted)]

    @invariant()
    def as_long(self) -> None:
        assert len(self.fifo) == len(self.model)


TestFifoIsADeque = FifoIsADeque.TestCase
TestFifoIsADeque.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_transaction_gets_what_it_put_itself() -> None:
    queue: Fifo[int] = Fifo()

    def body(txn: Transaction) -> int:
        queue.put(txn, 1)
        return queue.get(txn)

    assert atomically(body) == 1
    assert len(queue) == 0


def test_many_producers_and_consumers_lose_nothing() -> None:
    queue: Fifo[tuple[int, int]] = Fifo()
    taken: list[list[tuple[int, int]]] = [[], []]

    def produce(number: int) -> None:
        for index in range(3000):
            queue.put_now((number, index))

    def consume(mine: list[tuple[int, int]]) -> None:
        while sum(map(len, taken)) < 9000:
            mine += queue.take(7, timeout=0.05)

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(3)]
    threads += [threading.Thread(target=consume, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken[0] + taken[1]) == [(number, index) for number in range(3) for index in range(3000)]
    for mine in taken:
        for number in range(3):
            indexes = [index for producer, index in mine if producer == number]
            assert indexes == sorted(indexes)


def test_a_bound_holds() -> None:
    queue: Fifo[int] = Fifo(bound=2)
    queue.put_many([1, 2])
    with pytest.raises(Full):
        queue.put_now(3, timeout=0)
    with pytest.raises(TimeoutError):
        atomically(queue.put, 3, timeout=0.01)
    thread = threading.Thread(target=lambda: atomically(queue.put, 3, timeout=20))
    thread.start()
    assert queue.take(1) == [1]
    thread.join()
    assert queue.take() == [2, 3]
    with pytest.raises(ValueError, match="at least one"):
        Fifo(bound=0)


def test_the_age_of_the_head() -> None:
    now = [100.0]
    queue: Fifo[int] = Fifo(clock=lambda: now[0])
    assert queue.head_age() == 0.0
    queue.put_now(1)
    now[0] += 5
    queue.put_now(2)
    assert queue.head_age() == 5.0
    assert queue.take(1) == [1]
    assert queue.head_age() == 5.0  # no less than the true 0.0, and no more than since the put before
    queue.take()
    queue.put_now(3)
    assert queue.head_age() == 0.0


def test_time_passes_without_an_item() -> None:
    assert Fifo[int]().take(timeout=0.01) == []

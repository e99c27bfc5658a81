"""The promises of the commit protocol, one test for each anomaly, with threads really running."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stm import Fifo, Map, Ref, Transaction, atomically, nested
from stm.statistics import Everybody, Tally
from stm.transaction import FEW


def together(*bodies: Callable[[], None]) -> None:
    """Run the bodies at once, each in its thread; an exception in one is raised here."""
    barrier = threading.Barrier(len(bodies))
    failures: list[BaseException] = []

    def run(body: Callable[[], None]) -> None:
        barrier.wait()
        try:
            body()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def repeat(number: int, function: Callable[[Transaction], object]) -> Callable[[], None]:
    def body() -> None:
        for _ in range(number):
            atomically(function)

    return body


def test_lost_update() -> None:
    record = Ref(0)
    together(*[repeat(2000, lambda txn: txn.set(record, txn.get(record) + 1))] * 4)
    assert record.peek() == 8000


def test_write_skew() -> None:
    def take(txn: Transaction, mine: Ref[int], other: Ref[int]) -> None:
        if txn.get(mine) + txn.get(other) == 0:
            txn.set(mine, 1)

    for _ in range(300):
        left, right = Ref(0), Ref(0)
        together(lambda: atomically(take, left, right), lambda: atomically(take, right, left))  # noqa: B023
        assert left.peek() + right.peek() == 1


@pytest.mark.parametrize("number", [2, FEW + 4])
def test_read_skew_and_zombies(number: int) -> None:
    records = [Ref(0) for _ in range(number)]

    def step(txn: Transaction) -> None:
        for record in records:
            txn.set(record, txn.get(record) + 1)

    def look(txn: Transaction) -> None:
        assert len({txn.get(record) for record in records}) == 1

    together(repeat(1000, step), repeat(1000, look), repeat(1000, look))


def test_phantom_insert() -> None:
    names: Map[int, int] = Map()
    wins = Ref(0)

    def claim(txn: Transaction, key: int) -> None:
        if not names.contains(txn, key):
            names.insert(txn, key, 1)
            txn.set(wins, txn.get(wins) + 1)

    def body() -> None:
        for key in range(200):
            atomically(claim, key)

    together(*[body] * 4)
    assert wins.peek() == names.size() == 200


def test_effect_of_an_aborted_attempt() -> None:
    record = Ref(0)
    queue: Fifo[int] = Fifo()
    interfered: list[bool] = []

    def body(txn: Transaction) -> None:
        value = txn.get(record)
        queue.put(txn, value)
        if not interfered:
            interfered.append(True)
            together(lambda: atomically(lambda txn: txn.set(record, 7)))
        txn.set(record, value + 1)

    atomically(body)
    assert record.peek() == 8
    assert queue.take_nowait() == [7]


def test_aba_is_noticed() -> None:
    record, other = Ref("a"), Ref(0)
    runs = []

    def body(txn: Transaction) -> None:
        runs.append(txn.get(record))
        if len(runs) == 1:
            together(lambda: atomically(lambda txn: txn.set(record, "b")))
            together(lambda: atomically(lambda txn: txn.set(record, "a")))
        txn.set(other, 1)

    atomically(body)
    assert runs == ["a", "a"]


def test_an_exception_leaves_nothing() -> None:
    record = Ref(0)
    names: Map[str, int] = Map()
    queue: Fifo[int] = Fifo()

    def body(txn: Transaction) -> None:
        txn.set(record, 1)
        names.insert(txn, "a", 1)
        queue.put(txn, 1)
        raise LookupError

    with pytest.raises(LookupError):
        atomically(body)
    assert (record.peek(), names.size(), len(queue)) == (0, 0, 0)


def test_nested_rollback() -> None:
    record, other = Ref(0), Ref(0)
    names: Map[str, int] = Map()

    def inner(txn: Transaction) -> None:
        txn.set(record, 2)
        names.insert(txn, "inner", 1)
        raise LookupError

    def body(txn: Transaction) -> int:
        txn.set(record, 1)
        txn.set(other, 1)
        with pytest.raises(LookupError):
            nested(txn, inner)
        return txn.get(record)

    assert atomically(body) == 1
    assert (record.peek(), other.peek(), names.size()) == (1, 1, 0)


def test_a_set_record_reads_as_set() -> None:
    record = Ref(0)

    def body(txn: Transaction) -> int:
        txn.set(record, 5)
        return txn.get(record)

    assert atomically(body) == 5


def test_blind_writes_do_not_conflict() -> None:
    record = Ref(0)
    runs = []

    def body(txn: Transaction) -> None:
        runs.append(1)
        txn.set(record, 1)
        if len(runs) == 1:
            together(lambda: atomically(lambda txn: txn.set(record, 2)))

    atomically(body)
    assert (len(runs), record.peek()) == (1, 1)


def test_a_thread_may_join_while_commit_counts_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[Tally] = []

    class Joining(Tally):
        __slots__ = ()

        @property
        def commits(self) -> int:
            together(lambda: joined.append(everybody.own_tally()))
            return 0

        @commits.setter
        def commits(self, value: int) -> None:
            pass

    everybody = Everybody()
    everybody.tallies = (Joining(), Tally())
    monkeypatch.setattr("stm.transaction.EVERYBODY", everybody)
    records = [Ref(0) for _ in range(FEW + 4)]
    assert atomically(lambda txn: sum(txn.get(record) for record in records)) == 0
    assert joined
    assert set(joined) <= set(everybody.tallies)

"""The scenarios that are run in every order: two or three threads, named after what must not happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stm import Counter, Fifo, Map, Ref, TooManyAttempts, Transaction, atomically, or_else, retry, transaction
from stm.statistics import Everybody
from tests.races.explorer import Scenario

ATTEMPTS = 2  # each transaction may lose so often; without a bound two could take turns at losing for ever


def once(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """A thread body: one transaction; its result is None if it used its attempts up."""

    def body() -> Any:
        try:
            return atomically(function, *args, attempts=ATTEMPTS)
        except TooManyAttempts:
            return None

    return body


def lost_update() -> Scenario:
    record = Ref(0)

    def add(txn: Transaction) -> int:
        txn.set(record, txn.get(record) + 1)
        return 1

    def check(results: list[Any]) -> None:
        assert record.peek() == sum(result or 0 for result in results), "an update was lost"

    return Scenario([once(add), once(add)], check)


def lost_update_of_three() -> Scenario:
    scenario = lost_update()
    return Scenario([*scenario.bodies, scenario.bodies[0]], scenario.check)


def write_skew(*more: Ref[int]) -> Scenario:
    records = Ref(0), Ref(0)

    def take(txn: Transaction, mine: int) -> None:
        if not txn.get(records[0]) and not txn.get(records[1]):
            txn.set(records[mine], 1)
            for record in more:
                txn.set(record, 1)

    def check(_: list[Any]) -> None:
        assert records[0].peek() + records[1].peek() <= 1, "both took the one place"

    return Scenario([once(take, 0), once(take, 1)], check)


def write_skew_with_two_writes() -> Scenario:
    return write_skew(Ref(0))


def zombie_read() -> Scenario:
    left, right = Ref(0), Ref(0)

    def write(txn: Transaction) -> None:
        txn.set(left, 1)
        txn.set(right, 1)

    def read(txn: Transaction) -> None:
        first, second = txn.get(left), txn.get(right)
        assert first == second, "an attempt saw half a commit"

    return Scenario([once(write), once(read)])


def zombie_read_of_many() -> Scenario:
    left, right, third = Ref(0), Ref(0), Ref(0)
    vars(transaction)["EVERYBODY"] = Everybody()  # counts that repeat themselves; `stepped` puts the right ones back

    def write(txn: Transaction) -> None:
        txn.set(left, 1)
        txn.set(right, 1)

    def read(txn: Transaction) -> None:
        txn.few = 0  # as if many had been read already: the threads' commit counts are compared
        _, first, second = txn.get(third), txn.get(left), txn.get(right)
        assert first == second, "an attempt saw half a commit"

    return Scenario([once(write), once(read)])


def dirty_read() -> Scenario:
    record, other, third = Ref(0), Ref(0), Ref(0)

    def write(txn: Transaction) -> None:
        txn.set(record, txn.get(record) + 1 + txn.get(other))
        txn.set(third, 1)

    def disturb(txn: Transaction) -> None:
        txn.set(other, 10)

    def read(txn: Transaction) -> Any:
        return txn.get(record)

    def check(results: list[Any]) -> None:
        if results[2]:
            assert results[2] == record.peek(), "a value was read that was never committed"

    return Scenario([once(write), once(disturb), once(read)], check)


def lost_wake_up() -> Scenario:
    record = Ref(0)

    def wait(txn: Transaction) -> None:
        if not txn.get(record):
            retry(txn)

    return Scenario([once(lambda txn: txn.set(record, 1)), lambda: atomically(wait)])


def lost_wake_up_of_two_records() -> Scenario:
    left, right = Ref(0), Ref(0)

    def write(txn: Transaction) -> None:
        txn.set(left, 1)
        txn.set(right, 1)

    def need(txn: Transaction, record: Ref[int]) -> int:
        return txn.get(record) or retry(txn)

    def wait(txn: Transaction) -> int:
        return or_else(txn, lambda txn: need(txn, left), lambda txn: need(txn, right))

    return Scenario([once(write), lambda: atomically(wait)])


def phantom_insert() -> Scenario:
    names: Map[int, int] = Map(1)

    def insert(txn: Transaction) -> bool:
        if names.contains(txn, 1):
            return False
        names.insert(txn, 1, 1)
        return True

    def check(results: list[Any]) -> None:
        assert results.count(True) == 1, "a key was inserted twice"
        assert names.size() == 1

    return Scenario([once(insert), once(insert)], check)


def phantom_in_a_scan() -> Scenario:
    names: Map[int, int] = Map(1)
    total = Ref(0)

    def insert(txn: Transaction) -> None:
        names.insert(txn, 1, 1)
        txn.set(total, 1)

    def scan(txn: Transaction) -> None:
        assert names.len(txn) == txn.get(total), "an attempt saw a map and a total that never were together"

    return Scenario([once(insert), once(scan)])


def forgotten_entry() -> Scenario:
    names: Map[int, int] = Map(1)

    def check(_: list[Any]) -> None:
        assert names.size() == len(names.snapshot()), "an entry without a value was left in the map"

    return Scenario([once(names.get, 1), once(names.set, 1, 1), once(names.pop, 1, None)], check)


def puts_out_of_order() -> Scenario:
    record: Ref[tuple[int, ...]] = Ref(())
    outbox: Fifo[int] = Fifo()

    def write(txn: Transaction, number: int) -> None:
        txn.set(record, (*txn.get(record), number))
        outbox.put(txn, number)

    def check(_: list[Any]) -> None:
        assert tuple(outbox.take_nowait()) == record.peek(), "the queue's order is not the record's"

    return Scenario([once(write, 1), once(write, 2)], check)


def puts_out_of_order_without_change() -> Scenario:
    record = Ref(0)
    seen = Ref(0)
    outbox: Fifo[str] = Fifo()

    def change(txn: Transaction) -> None:
        txn.set(record, 1)
        outbox.put(txn, "changed")

    def touch(txn: Transaction) -> None:
        value = txn.get(record)
        txn.set(record, value)  # the same value: still a write, so ordered with every other write
        outbox.put(txn, f"saw {value}")

    def check(_: list[Any]) -> None:
        assert outbox.take_nowait() in (["changed", "saw 1"], ["saw 0", "changed"], ["changed"], ["saw 0"])
        assert seen.peek() == 0

    return Scenario([once(change), once(touch)], check)


def put_lost() -> Scenario:
    queue: Fifo[int] = Fifo()

    def check(results: list[Any]) -> None:
        assert results[1] == 1

    return Scenario([once(queue.put, 1), lambda: atomically(queue.get)], check)


def sleeping_consumer_forgotten() -> Scenario:
    queue: Fifo[int] = Fifo()

    def check(results: list[Any]) -> None:
        assert sorted(results[1] + results[2]) == [1, 2]

    def put() -> None:
        queue.put_now(1)
        queue.put_now(2)

    return Scenario([put, lambda: queue.take(1), lambda: queue.take(1)], check)


def item_taken_twice() -> Scenario:
    queue: Fifo[int] = Fifo()
    queue.put_many([1, 2])

    def check(results: list[Any]) -> None:
        taken = results[0] + ([] if results[1] is None else [results[1]])
        assert sorted(taken + queue.take_nowait()) == [1, 2], "an item was taken twice, or lost"

    return Scenario([lambda: queue.take_nowait(1), once(queue.get)], check)


def lost_add() -> Scenario:
    counter = Counter()

    def add(txn: Transaction) -> None:
        counter.add(txn)

    def check(_: list[Any]) -> None:
        assert counter.peek() == 2, "an add was lost"

    return Scenario([once(add), once(add)], check)


SCENARIOS = [
    lost_update,
    write_skew,
    write_skew_with_two_writes,
    zombie_read,
    zombie_read_of_many,
    dirty_read,
    lost_wake_up,
    lost_wake_up_of_two_records,
    phantom_insert,
    phantom_in_a_scan,
    forgotten_entry,
    puts_out_of_order,
    puts_out_of_order_without_change,
    put_lost,
    sleeping_consumer_forgotten,
    item_taken_twice,
    lost_add,
    lost_update_of_three,
]

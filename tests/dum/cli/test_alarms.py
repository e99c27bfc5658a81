"""Alarms: in the order of their times, none lost, none that raises hurting another."""

import logging
import threading
from collections.abc import Callable

import pytest

from dum.cli.alarms import Alarms


def run_until_done(alarms: Alarms, add: Callable[[], None]) -> None:
    """Add alarms, then wait for one that is due after them all."""
    done = threading.Event()
    with alarms:
        add()
        alarms.after(0.06, done.set)
        assert done.wait(30)


def test_they_ring_in_the_order_of_their_times() -> None:
    alarms, seen = Alarms(), list[str]()

    def add() -> None:
        alarms.after(0.05, lambda: seen.append("last"))
        alarms.after(0.02, lambda: seen.append("second"))
        alarms.after(0.0, lambda: seen.append("first"))

    run_until_done(alarms, add)
    assert seen == ["first", "second", "last"]


def test_those_due_together_ring_in_the_order_given() -> None:
    now = [0.0]
    alarms, seen = Alarms(lambda: now[0]), list[int]()
    for number in range(100):
        alarms.after(0.0, lambda number=number: seen.append(number))  # type: ignore[misc]
    done = threading.Event()
    alarms.after(0.0, done.set)
    with alarms:
        assert done.wait(30)
    assert seen == list(range(100))


def test_one_that_raises_is_logged_and_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    alarms, seen = Alarms(), list[str]()

    def fail() -> None:
        raise RuntimeError("the action failed")

    def add() -> None:
        alarms.after(0.0, fail)
        alarms.after(0.01, lambda: seen.append("next"))

    with caplog.at_level(logging.ERROR):
        run_until_done(alarms, add)
    assert seen == ["next"]
    assert "the action failed" in caplog.text


def test_what_is_not_due_at_the_end_is_dropped() -> None:
    seen: list[str] = []
    with Alarms() as alarms:
        alarms.after(3600.0, lambda: seen.append("much later"))
    assert seen == []


def test_threads_add_them_at_once() -> None:
    seen: list[int] = []
    done = threading.Event()
    barrier = threading.Barrier(4)
    with Alarms() as alarms:

        def ring(number: int) -> None:
            seen.append(number)  # On the alarms' one thread only.
            if len(seen) == 400:
                done.set()

        def add(first: int) -> None:
            barrier.wait(30)
            for number in range(first, first + 100):
                alarms.after(0.001 * (number % 7), lambda number=number: ring(number))  # type: ignore[misc]

        threads = [threading.Thread(target=add, args=(start,)) for start in range(0, 400, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done.wait(30)
    assert sorted(seen) == list(range(400))

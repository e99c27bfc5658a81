"""Histories of real threads have a serial order; histories that have none are recognised."""

from __future__ import annotations

import pytest

from tests.stress.history import Attempt, circle_in, record_history


@pytest.mark.parametrize(("threads", "records"), [(2, 2), (4, 3), (8, 12)])
def test_a_serial_order_explains_what_threads_saw(threads: int, records: int) -> None:
    history = record_history(threads, records, 0.4, seed=7)
    assert sum(attempt.committed for attempt in history) > 50
    assert circle_in(history) is None


def committed(number: int, reads: dict[int, int], writes: set[int], began: float = 0.0, ended: float = 9.0) -> Attempt:
    return Attempt(number, began, reads, writes, ended, committed=True)


def test_write_skew_is_recognised() -> None:
    assert circle_in([committed(1, {0: 0, 1: 0}, {0}), committed(2, {0: 0, 1: 0}, {1})])


def test_a_lost_update_is_recognised() -> None:
    assert circle_in([committed(1, {0: 0}, {0}), committed(2, {0: 0}, {0})])


def test_a_zombie_is_recognised() -> None:
    zombie = Attempt(2, 0.0, {0: 1, 1: 0}, set())
    assert circle_in([committed(1, {0: 0, 1: 0}, {0, 1}), zombie])


def test_a_dirty_read_is_recognised() -> None:
    assert circle_in([Attempt(1, 0.0, {0: 0}, {0}), committed(2, {0: 1}, set())])


def test_a_read_of_the_past_is_recognised() -> None:
    assert circle_in([committed(1, {0: 0}, {0}, 0.0, 1.0), committed(2, {0: 0}, set(), 2.0, 3.0)])

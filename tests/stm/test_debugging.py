"""The debug switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stm import Map, MutableValue, Ref, atomically, debug


@pytest.fixture
def checked() -> Iterator[None]:
    debug(True)
    yield
    debug(False)


@pytest.mark.usefixtures("checked")
def test_mutable_values_are_refused() -> None:
    names: Map[int, object] = Map()
    record: Ref[object] = Ref(())
    attempts: list[Callable[[], object]] = [
        lambda: Ref([]),
        lambda: atomically(lambda txn: txn.set(record, {})),
        lambda: atomically(names.insert, 1, set()),
        lambda: atomically(names.set, 1, bytearray()),
    ]
    for attempt in attempts:
        with pytest.raises(MutableValue):
            attempt()
    atomically(lambda txn: txn.set(record, (1, 2)))
    assert record.peek() == (1, 2)
    assert names.size() == 0


def test_off_means_off() -> None:
    assert Ref([]).peek() == []

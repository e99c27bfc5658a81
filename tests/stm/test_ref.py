"""Ref outside a transaction."""

from __future__ import annotations

import pytest

from stm import Ref


def test_peek_and_update() -> None:
    record = Ref(1)
    assert record.update(lambda value: value + 1) == 2
    assert record.peek() == 2
    assert repr(record) == "Ref(2)"


def test_an_update_that_raises_leaves_the_record() -> None:
    record = Ref(1)
    with pytest.raises(ZeroDivisionError):
        record.update(lambda value: value // 0)
    assert record.peek() == 1
    assert record.update(lambda value: 5) == 5

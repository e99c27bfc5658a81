"""Map against a plain dict, and what it gives back."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stm import Map, Transaction, atomically, statistics

KEYS = st.integers(0, 5)
STEPS = st.lists(st.tuples(st.sampled_from(["get", "insert", "set", "pop", "items"]), KEYS, st.integers()), max_size=8)


class MapIsADict(RuleBasedStateMachine):
    """Transactions of several operations, committed or given up, on a Map and on a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.map: Map[int, int] = Map(2)
        self.model: dict[int, int] = {}

    @rule(steps=STEPS, gives_up=st.booleans())
    def transaction(self, steps: list[tuple[str, int, int]], gives_up: bool) -> None:
        model = dict(self.model)

        def body(txn: Transaction) -> None:
            for name, key, value in steps:
                self.apply(txn, model, name, key, value)
            if gives_up:
                raise LookupError

        if gives_up:
            with pytest.raises(LookupError):
                atomically(body)
        else:
            atomically(body)
            self.model = model

    def apply(self, txn: Transaction, model: dict[int, int], name: str, key: int, value: int) -> None:
        if name == "get":
            assert self.map.get(txn, key) == model.get(key)
            assert self.map.contains(txn, key) == (key in model)
        elif name == "insert" and key in model:
            with pytest.raises(KeyError):
                self.map.insert(txn, key, value)
        elif name == "insert":
            self.map.insert(txn, key, value)
            model[key] = value
        elif name == "set":
            self.map.set(txn, key, value)
            model[key] = value
        elif name == "pop":
            assert self.map.pop(txn, key, None) == model.pop(key, None)
        else:
            assert dict(self.map.items(txn)) == model
            assert self.map.len(txn) == len(model)

    @invariant()
    def agree(self) -> None:
        assert dict(self.map.snapshot()) == self.model
        assert self.map.size() == len(self.model)
        assert all(self.map.peek(key) == self.model.get(key) for key in range(6))


TestMapIsADict = MapIsADict.TestCase
TestMapIsADict.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


def test_a_missing_key_to_pop_is_an_error_unless_there_is_a_default() -> None:
    with pytest.raises(KeyError):
        atomically(Map().pop, "a")


def test_the_number_of_stripes_is_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        Map(3)


def test_a_lookup_in_vain_conflicts_with_no_other_key() -> None:
    names: Map[int, int] = Map(1)
    runs = []

    def body(txn: Transaction) -> None:
        runs.append(1)
        names.get(txn, 1)
        thread = threading.Thread(target=lambda: atomically(names.insert, 2, 2))
        if len(runs) == 1:
            thread.start()
            thread.join()
        names.set(txn, 3, 3)

    atomically(body)
    assert len(runs) == 1


def test_lookups_in_vain_of_one_key_do_not_conflict() -> None:
    names: Map[int, int] = Map(1)
    before = statistics()["conflicts"]

    def body(txn: Transaction) -> None:
        names.get(txn, 1)
        thread = threading.Thread(target=lambda: atomically(names.get, 1))
        thread.start()
        thread.join()

    atomically(body)
    assert statistics()["conflicts"] == before
    assert names.size() == 0


def test_a_removed_key_gives_its_memory_back() -> None:
    class Value:
        pass

    names: Map[str, Value] = Map()
    value = Value()
    gone = weakref.ref(value)
    atomically(names.insert, "a", value)
    del value
    gc.disable()
    try:
        atomically(names.pop, "a", label="pop")
        assert gone() is None
        assert names.size() == 0
    finally:
        gc.enable()

"""Puts the explorer's steps into the shipped `stm`: every access to something threads share is announced first."""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stm import contention
from stm import fifo as fifo_module
from stm import map as map_module
from stm.fifo import Fifo
from stm.guard import Guard
from stm.map import Stripe
from stm.ref import Ref
from stm.statistics import EVERYBODY, Tally
from stm.waiting import Sleeper
from tests.races import explorer
from tests.races.explorer import announce


def stepped_slot(owner: type, name: str) -> property:
    """A property in place of a slot: announces each load and store."""
    slot = owner.__dict__[name]

    def load(self: Any) -> Any:
        announce(f"load {name.lstrip('_')}", self, False, part=name)
        return slot.__get__(self)

    def store(self: Any, value: Any) -> None:
        announce(f"store {name.lstrip('_')}", self, True, part=name)
        slot.__set__(self, value)

    return property(load, store)


def guarded_slot(owner: type, name: str, guard_of: Any) -> property:
    """A property in place of a slot which only the holder of a guard may touch; touching it otherwise fails."""
    slot = owner.__dict__[name]

    def check(self: Any) -> None:
        run = explorer.current
        if run is not None and get_ident() in run.by_ident and not run.by_ident[get_ident()].unwinding:
            assert guard_of(self)._is_owned(), f"{name} was touched without the guard"

    def load(self: Any) -> Any:
        check(self)
        return slot.__get__(self)

    def store(self: Any, value: Any) -> None:
        slot.__set__(self, value)

    return property(load, store)


class SteppedList(list[Any]):
    """A list whose operations are steps."""

    def append(self, item: Any) -> None:
        announce("append", self, True)
        super().append(item)

    def extend(self, items: Any) -> None:
        announce("extend", self, True)
        super().extend(items)

    def __getitem__(self, index: Any) -> Any:
        announce("slice", self, False)
        return super().__getitem__(index)

    def __delitem__(self, index: Any) -> None:
        announce("delete slice", self, True)
        super().__delitem__(index)

    def __len__(self) -> int:
        announce("length", self, False)
        return super().__len__()


def stepped_items() -> property:
    """Fifo.items as a SteppedList."""
    slot = Fifo.__dict__["items"]

    def store(self: Any, value: list[Any]) -> None:
        slot.__set__(self, SteppedList(value))

    return property(slot.__get__, store)


holders: dict[Guard, list[int]] = {}  # guard -> [thread, count]


def acquire(self: Guard, blocking: bool = True, timeout: float = -1) -> bool:
    """Guard.acquire as a step that waits in the explorer, never in the lock."""
    me = get_ident()
    announce(
        "lock" if blocking else "try lock",
        self,
        True,
        (lambda: self not in holders or holders[self][0] == me) if blocking else None,
    )
    taken = super(Guard, self).acquire(blocking)
    if taken:
        holders.setdefault(self, [me, 0])[1] += 1
    return taken


def release(self: Guard) -> None:
    """Guard.release as a step; done even by a thread that is being unwound."""
    try:
        announce("unlock", self, True)
    finally:
        holder = holders[self]
        holder[1] -= 1
        if not holder[1]:
            del holders[self]
        super(Guard, self).release()


def sleep(self: Sleeper, deadline: float | None) -> bool:
    """Sleeper.sleep as a step which can be made once somebody has woken it (or at any time, with a deadline)."""
    lock = self._lock
    ready = (lambda: not lock.locked()) if deadline is None else None
    announce("sleep", self, True, ready)
    return lock.acquire(blocking=False) if explorer.current is not None else lock.acquire()


def stepped_wake() -> Any:
    """Sleeper.wake as a step."""
    shipped = Sleeper.wake

    def wake(self: Sleeper) -> None:
        announce("wake", self, True)
        shipped(self)

    return wake


def stepped_dict_method(name: str, changes: bool) -> Any:
    """A method of Stripe as a step."""

    def method(self: Any, *args: Any) -> Any:
        announce(f"stripe {name.strip('_')}", self, changes)
        return getattr(dict, name)(self, *args)

    return method


class Guards:
    """In place of the shared guards: a guard of its own for each number, so that runs repeat themselves."""

    def __init__(self) -> None:
        self.guards: dict[int, Guard] = {}

    def __call__(self, number: int) -> Guard:
        return self.guards.setdefault(number, Guard())


def plain_init(self: Any, value: Any) -> None:
    """Ref.__init__ with a guard of its own."""
    self._value = value
    self._version = 0
    self._guard = Guard()


@contextmanager
def stepped() -> Iterator[pytest.MonkeyPatch]:
    """The shipped code with steps in it, for the length of a `with`."""
    with pytest.MonkeyPatch.context() as patch:
        holders.clear()
        patch.setattr(Guard, "sleepers", guarded_slot(Guard, "sleepers", lambda guard: guard))
        patch.setattr(Guard, "acquire", acquire, raising=False)
        patch.setattr(Guard, "release", release, raising=False)
        patch.setattr(Guard, "__enter__", lambda self: self.acquire(), raising=False)
        patch.setattr(Guard, "__exit__", lambda self, *exception: self.release(), raising=False)
        patch.setattr(Sleeper, "sleep", sleep)
        patch.setattr(Sleeper, "wake", stepped_wake())
        patch.setattr(Ref, "__init__", plain_init)
        for owner, names in ((Ref, ("_version", "_value")), (Stripe, ("removed", "sleepers")), (Tally, ("commits",))):
            for name in names:
                patch.setattr(owner, name, stepped_slot(owner, name))
        patch.setattr(Fifo, "bell", stepped_slot(Fifo, "bell"))
        patch.setattr(Fifo, "_out", stepped_slot(Fifo, "_out"))
        patch.setattr(Fifo, "items", stepped_items())
        for name, changes in (("get", False), ("setdefault", True), ("__delitem__", True), ("__len__", False)):
            patch.setattr(Stripe, name, stepped_dict_method(name, changes), raising=False)
        for name in ("values", "items"):
            patch.setattr(Stripe, name, stepped_dict_method(name, False), raising=False)
        patch.setattr(map_module, "guard_for", Guards())
        patch.setattr(fifo_module, "LINGER", 0)
        patch.setattr(contention, "_turn", Guard())
        patch.setattr("stm.transaction.EVERYBODY", EVERYBODY)
        patch.setattr(contention, "EAGER", contention.PATIENCE)  # no pauses
        yield patch

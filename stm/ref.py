"""`Ref`: one versioned record, the unit of conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stm.guard import GUARD_COUNT, GUARDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stm.guard import Guard
    from stm.waiting import Sleeper


class Ref[T]:
    """A place for one immutable value, read and written by memory transactions (`txn.get`, `txn.set`).

    Any number of threads may use it at once.  It takes 64 bytes beside its value.  The value should be immutable:
    transactions see it by reference, and a change made in place is seen by all of them at once
    (`stm.debug(True)` refuses the usual mutable types).
    """

    # _value and _version are read without a lock: version, value, version again.  _version counts the commits
    # and is None while one is being published.  Only the holder of _guard writes either.
    __slots__ = ("_guard", "_value", "_version")

    _guard: Guard
    _value: Any
    _version: int | None

    def __init__(self, value: T) -> None:
        number = id(self) >> 6
        self._value = value
        self._version = 0
        self._guard = GUARDS[(number ^ (number >> 10)) & (GUARD_COUNT - 1)]

    def peek(self) -> T:
        """The last committed value, read outside a transaction; waits out a commit that is publishing it."""
        value: T = self.settled()[0]
        return value

    def update(self, function: Callable[[T], T]) -> T:
        """Replace the value by function(value) and return the new one: a whole transaction on this record alone.

        Cheaper than `atomically`, never conflicts.  The function runs once, under the record's lock: it must be
        short, and may touch no other record.  What it raises propagates and leaves the record as it was.
        """
        guard = self._guard
        with guard:
            value = function(self._value)
            version = self._version
            assert version is not None, "update called by a commit of the same thread"
            self._version = None
            self._value = value
            self._version = version + 1
            sleepers = guard.sleepers
            woken = sleepers.get(id(self)) if sleepers else None
        for sleeper in woken or ():
            sleeper.wake()
        return value

    def settled(self) -> tuple[Any, int]:
        """A value and its version that belong together, after any commit that is being published."""
        while True:
            version = self._version
            value = self._value
            if version is not None and self._version is version:
                return value, version
            with self._guard:  # the committing thread holds it until the record is whole again
                pass

    def watch(self, sleeper: Sleeper, seen: int) -> bool:
        """Wake the sleeper when the version is no longer the one seen; False if it is not any more."""
        guard = self._guard
        with guard:
            if self._version is not seen:
                return False
            guard.enlist(id(self), sleeper)
        return True

    def unwatch(self, sleeper: Sleeper) -> None:
        """Undo `watch`."""
        guard = self._guard
        with guard:
            guard.dismiss(id(self), sleeper)

    def __repr__(self) -> str:
        return f"Ref({self._value!r})"

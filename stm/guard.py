"""The guards: a fixed number of locks which all records share.

A record is guarded while somebody commits to it, that is for about a microsecond, so it needs a lock, but not one
of its own: with 1,024 of them two threads that commit at the same moment rarely meet by chance, and meeting costs a
short wait, never a conflict.  What counts as a conflict is decided by record versions alone.
"""

from __future__ import annotations

from _thread import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stm.waiting import Sleeper

GUARD_COUNT = 1024


class Guard(RLock):  # type: ignore[misc]
    """A re-entrant lock, and the sleepers that wait for a change of any record it guards.

    Re-entrant, so that a commit need not ask whether two of its records share a guard.  `sleepers` maps id(record)
    to the sleepers waiting for that record; it is None almost always, and read and written only by whoever holds
    the guard.
    """

    __slots__ = ("sleepers",)

    sleepers: dict[int, list[Sleeper]] | None

    if TYPE_CHECKING:

        def _is_owned(self) -> bool: ...

    def __init__(self) -> None:
        self.sleepers = None

    def enlist(self, number: int, sleeper: Sleeper) -> None:
        """Let the sleeper be woken by a change of the record with that id; the caller holds the guard."""
        sleepers = self.sleepers
        if sleepers is None:
            sleepers = self.sleepers = {}
        sleepers.setdefault(number, []).append(sleeper)

    def dismiss(self, number: int, sleeper: Sleeper) -> None:
        """Undo `enlist`; the caller holds the guard."""
        sleepers = self.sleepers
        if sleepers is None or number not in sleepers:
            return
        waiting = sleepers[number]
        if sleeper in waiting:
            waiting.remove(sleeper)
        if not waiting:
            del sleepers[number]
            if not sleepers:
                self.sleepers = None


GUARDS: tuple[Guard, ...] = tuple(Guard() for _ in range(GUARD_COUNT))


def guard_for(number: int) -> Guard:
    """The guard that belongs to a number (an id, a hash); the same number always has the same guard."""
    return GUARDS[(number ^ (number >> 10)) & (GUARD_COUNT - 1)]

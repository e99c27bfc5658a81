"""What the memory has been doing: counted by each thread for itself, added up when somebody asks."""

from __future__ import annotations

from _thread import allocate_lock, get_ident
from typing import Any


class Tally:
    """The counts of one thread: only that thread writes them, anybody may read them at any time."""

    # `commits` counts the commits that wrote something and is raised before they are published: the commit
    # protocol uses it as that thread's part of a clock (see stm/transaction.py).
    __slots__ = ("commits", "conflicts", "elders", "read_only", "timeouts", "waits")

    def __init__(self) -> None:
        self.commits = 0
        self.read_only = 0
        self.waits = 0
        self.elders = 0
        self.timeouts = 0
        self.conflicts: dict[str | None, int] = {}


class Everybody:
    """Who counts.  `tallies` is replaced, never changed, when a thread joins, so it may be walked at any time."""

    # The system hands thread identifiers on from ended threads to new ones, so this does not grow for ever.
    __slots__ = ("_by_thread", "_joining", "tallies")

    def __init__(self) -> None:
        self.tallies: tuple[Tally, ...] = ()
        self._by_thread: dict[int, Tally] = {}
        self._joining = allocate_lock()

    def own_tally(self) -> Tally:
        """The calling thread's counts."""
        fresh = Tally()
        with self._joining:
            tally = self._by_thread.setdefault(get_ident(), fresh)
            if tally is fresh:
                self.tallies = (*self.tallies, tally)
            return tally


EVERYBODY = Everybody()


def statistics() -> dict[str, Any]:
    """What all threads together have done since the start, as a new dict; callable at any time, from any thread.

    `commits`: transactions committed; `read_only`: those among them that wrote nothing; `attempts`: how often a
    transaction function was run to its end, a conflict or a wait; `conflicts`: attempts thrown away, by the `label`
    given to `atomically` (None where none was given), most frequent first; `waits`: sleeps in `retry`; `elders`: how
    often a transaction that kept losing was given its turn; `timeouts`; `threads`.
    Each number is exact once its thread is quiet; together they are not one instant.
    """
    tallies = EVERYBODY.tallies
    conflicts: dict[str | None, int] = {}
    for tally in tallies:
        for label, number in tally.conflicts.copy().items():
            conflicts[label] = conflicts.get(label, 0) + number
    read_only = sum(tally.read_only for tally in tallies)
    commits = read_only + sum(tally.commits for tally in tallies)
    waits = sum(tally.waits for tally in tallies)
    return {
        "commits": commits,
        "read_only": read_only,
        "attempts": commits + waits + sum(conflicts.values()),
        "conflicts": dict(sorted(conflicts.items(), key=lambda item: -item[1])),
        "waits": waits,
        "elders": sum(tally.elders for tally in tallies),
        "timeouts": sum(tally.timeouts for tally in tallies),
        "threads": len(tallies),
    }

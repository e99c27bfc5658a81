"""The commit protocol."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from stm.errors import Conflict
from stm.statistics import TALLIES, own_tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stm.fifo import Fifo
    from stm.guard import Guard
    from stm.map import Entry, Stripe
    from stm.ref import Ref
    from stm.waiting import Sleeper

T = TypeVar("T")
FEW = 8  # up to so many reads are looked at again one by one; beyond, the threads' commit counts are compared first


class Gone:
    """In place of the value of a map entry that has left its map for good."""


class Absent:
    """In place of the value of a map entry whose key has none."""


class Transaction:
    """One attempt at a memory transaction: the `txn` that `atomically` hands to its function.

    Valid only in the thread and during the call it was given to.
    """

    # One per thread, used again for each attempt: making one would cost more than all the rest of a short
    # transaction.  `more` says that something beside reads and writes is in use.
    __slots__ = (
        "_stamps",
        "adds",
        "more",
        "puts",
        "reads",
        "removals",
        "running",
        "scans",
        "shares",
        "takes",
        "tally",
        "writes",
    )

    def __init__(self) -> None:
        self.reads: dict[Any, Any] = {}
        self.writes: dict[Ref[Any], Any] = {}
        self.running = False
        self.more = False
        self.tally = own_tally()
        self._stamps: list[int] | None = None
        self.shares: dict[Entry, tuple[Stripe, Any]] = {}
        self.removals: dict[Entry, tuple[Stripe, Any]] = {}
        self.scans: dict[Stripe, tuple[Any, int]] = {}
        self.adds: dict[Ref[Any], Any] = {}
        self.puts: list[tuple[Fifo[Any], Any]] = []
        self.takes: dict[Fifo[Any], int] = {}

    def get(self, ref: Ref[T]) -> T:
        """The record's value as this transaction sees it: what it wrote itself, or the committed one."""
        writes = self.writes
        if writes and ref in writes:
            return writes[ref]  # type: ignore[no-any-return]
        version = ref._version
        value = ref._value
        if version is None or ref._version is not version:
            value, version = ref.settled()
        reads = self.reads
        if reads:
            if reads.setdefault(ref, version) is not version:
                raise Conflict
            if len(reads) > FEW or self.scans:
                self._recheck()
            else:
                for other, seen in reads.items():
                    if other._version is not seen:
                        raise Conflict
        else:
            reads[ref] = version
        return value  # type: ignore[no-any-return]

    def set(self, ref: Ref[T], value: T) -> None:
        """Give the record a new value when, and if, the transaction commits; setting the same value counts too."""
        self.writes[ref] = value

    def validate(self) -> None:
        """Raise Conflict unless all that was read still stands."""
        if not self._valid(()):
            raise Conflict

    def _recheck(self) -> None:
        """Raise Conflict unless all that was read still stands; cheap while nobody commits anything."""
        stamps = [tally.commits for tally in TALLIES.values()]
        if stamps == self._stamps:
            return
        if not self._valid(()):
            raise Conflict
        self._stamps = stamps

    def _valid(self, marked: Any) -> bool:
        """Whether all that was read still stands; `marked` holds the versions of records we marked ourselves."""
        for stripe, (token, present) in self.scans.items():
            if not stripe.unchanged(token, present, marked):
                return False
        for record, seen in self.reads.items():
            if record._version is not seen and (record not in marked or marked[record] is not seen):
                return False
        return True

    def watched(self) -> Iterator[tuple[Any, Any]]:
        """What the attempt has read, each with what it saw."""
        yield from self.reads.items()
        yield from self.scans.items()

    def savepoint(self) -> tuple[Any, ...]:
        """What has been written so far."""
        return (
            self.writes.copy(),
            self.removals.copy(),
            self.adds.copy(),
            self.puts.copy(),
            self.takes.copy(),
        )

    def roll_back(self, savepoint: tuple[Any, ...]) -> None:
        """Forget what was written since the savepoint."""
        self.writes, self.removals, self.adds, self.puts, self.takes = savepoint

    def commit(self) -> None:
        """Make all writes visible at once, or raise Conflict with nothing changed."""
        writes = self.writes
        if self.more:
            self._commit_all()
            return
        if not writes:
            self.tally.read_only += 1
            return
        reads = self.reads
        if len(writes) == 1:
            [(ref, value)] = writes.items()
            if not reads or (len(reads) == 1 and ref in reads):
                self._commit_one(ref, value)
                return
        self._commit_all()

    def _commit_one(self, ref: Ref[Any], value: Any) -> None:
        """Commit a transaction that read and wrote nothing but one record."""
        reads = self.reads
        guard = ref._guard
        guard.acquire()
        version = ref._version
        try:
            if reads and reads[ref] is not version:
                raise Conflict
            self.tally.commits += 1
            ref._version = None
            ref._value = value
            ref._version = version + 1  # type: ignore[operator]
            sleepers = guard.sleepers
            woken = sleepers.get(id(ref)) if sleepers else None
        finally:
            if ref._version is None:
                ref._version = version + 1  # type: ignore[operator]
            guard.release()
        for sleeper in woken or ():
            sleeper.wake()

    def _commit_all(self) -> None:
        writes = self.writes
        for shard in self.adds:
            writes[shard] = None  # a written record from here on; its value is known once it is locked
        held = self._acquire()
        marked: dict[Ref[Any], int] = {}
        try:
            for ref in writes:
                version = ref._version
                marked[ref] = version  # type: ignore[assignment]
                ref._version = None
            if not self._valid(marked) or (self.more and not self._room()):
                raise Conflict
            woken = self._publish(marked, held)
        finally:
            for ref, version in marked.items():
                if ref._version is None:
                    ref._version = version
            for guard in held:
                guard.release()
        for sleeper in woken:
            sleeper.wake()
        if self.puts:
            for fifo, _ in self.puts:
                fifo.ring()

    def _publish(self, marked: dict[Ref[Any], int], held: list[Guard]) -> list[Sleeper]:
        writes = self.writes
        tally = self.tally
        if writes or self.puts:
            tally.commits += 1
        else:
            tally.read_only += 1
        if self.more:
            self._publish_more()
        woken: list[Sleeper] = []
        for ref, value in writes.items():
            ref._value = value
            ref._version = marked[ref] + 1
        for guard in held:
            sleepers = guard.sleepers
            if sleepers:
                for ref in writes:
                    woken += sleepers.get(id(ref), ())
        for entry, (stripe, _) in self.shares.items():
            if stripe.sleepers and entry in writes:
                woken += stripe.sleepers
        return woken

    def _publish_more(self) -> None:
        for shard, number in self.adds.items():
            self.writes[shard] = shard._value + number
        for fifo, count in self.takes.items():
            fifo.discard(count)
        for fifo, item in self.puts:
            fifo.append(item)
        for entry, (stripe, key) in self.removals.items():
            stripe.removed = entry
            del stripe[key]

    def _room(self) -> bool:
        counts: dict[Fifo[Any], int] = {}
        for fifo, _ in self.puts:
            if fifo.bound is not None:
                counts[fifo] = counts.get(fifo, 0) + 1
        return all(fifo.has_room(count, self.takes.get(fifo, 0)) for fifo, count in counts.items())

    def _acquire(self) -> list[Guard]:
        """Lock every written record: waiting only while holding nothing, so that nobody waits in a circle."""
        guards = [ref._guard for ref in self.writes]
        if self.puts:
            guards += [fifo.guard for fifo, _ in self.puts if fifo.bound is not None]
        position = 0
        held: list[Guard] = []
        while position < len(guards):
            guard = guards[position]
            if guard.acquire(blocking=not held):
                held.append(guard)
                position += 1
                continue
            for other in held:
                other.release()
            held.clear()
            guards.insert(0, guards.pop(position))
            position = 0
        return held

    def finish(self) -> None:
        """Forget the attempt."""
        self.running = False
        self.reads.clear()
        self.writes.clear()
        if self._stamps is not None:
            self._stamps = None
        if self.more:
            self._finish_more()

    def _finish_more(self) -> None:
        self.more = False
        for entry, (stripe, key) in self.shares.items():
            if entry._value is Absent:
                stripe.release(entry, key)
        self.shares.clear()
        self.removals.clear()
        self.scans.clear()
        self.adds.clear()
        self.puts.clear()
        self.takes.clear()


class _Here(threading.local):
    """The calling thread's one Transaction."""

    def __init__(self) -> None:
        self.transaction = Transaction()


HERE = _Here()

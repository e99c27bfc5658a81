"""The commit protocol.

A record has a value and a version; versions only grow, and a version object belongs to one commit, so "the same
version" is "the same object" and nothing can come back unseen (no ABA).  While a commit publishes a record its version
is None: the record is *marked*.  Only the holder of the record's guard changes any of this.

Reading takes no lock: version, value, version again; equal and not None means that they belong together.  Each read of
another record then looks again at the versions of all that was read before.  So all of it stood together at the moment
of the last read, and that is true of every attempt, also of one that will be thrown away (*opacity*).  A transaction
that only reads therefore commits by returning: it happened at its last read.

Committing writes: (1) lock the written records' guards and mark the records; (2) look again at all that was read;
(3) append what was put in queues, link and unlink map entries; (4) publish values and versions, unlocking each;
(5) wake who waits.  The transaction happens at the moment when its last mark is set: what it read was unchanged from
before that moment till after it, and nobody sees a written record between that moment and its publication, because
readers of a marked record wait at its guard.  Two transactions that each read what the other writes both mark before
either looks again, so at least one sees the other's mark and gives way (no write skew).  Moments lie inside the calls
of `atomically`, hence *strict serialisability*.  Marks need no memory fence of their own: each store to a slot locks
and unlocks its object.

Nobody waits in a circle: an ordinary commit waits for a guard only while it holds none (`_mark`); the elder
(stm/contention.py) may wait while holding, and is alone in that.  An interruption (KeyboardInterrupt) in a commit ends
it one way or the other before it propagates (`_settle`).

Queue order: puts are made in (3), while all written records are locked and marked.  Who writes, or reads, what this
commit wrote does so later, and so do its puts.

Looking again at n reads costs n; for a transaction of n reads that is n * n.  Beyond FEW reads the numbers of commits
of all threads (`Tally.commits`, raised between (2) and (4)) are compared first, by their sum, since none ever falls: a
clock in parts, which nobody shares for writing.  While no thread commits, a read costs the same however many came
before it.  The record just read counts as read before the clock is looked at: else a change of it between the two
would be in the clock, and never be noticed.

Considered and not taken, so far by the cost of their parts and not measured as whole protocols: one shared version
clock (a mortal integer that all threads load and store; every commit would write what every other reads), a lock for
each record (56 to 112 bytes more a record), a fresh tuple for each version in place of an integer (48 bytes more a
record; its single load and unpacking cost the same as three loads of slots), locking in order of address in place of
trying (a sort for each commit; the elder would still need the other rule).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from stm.errors import Conflict
from stm.statistics import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stm.fifo import Fifo
    from stm.map import Entry, Stripe
    from stm.ref import Ref

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
    # transaction.  `more` says that something beside reads and writes is in use, `rare` that more than puts, shares
    # and removals is.
    __slots__ = (
        "_clock",
        "adds",
        "few",
        "more",
        "puts",
        "rare",
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
        self.rare = False
        self.tally = EVERYBODY.own_tally()
        self._clock = -1
        self.few = FEW
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
            if len(reads) > self.few:
                if reads.setdefault(ref, version) is not version:
                    raise Conflict
                self._recheck()  # the new one too, or its change would go unseen from then on
                return value  # type: ignore[no-any-return]
            for other in reads:
                if other._version is not reads[other]:
                    raise Conflict
        reads[ref] = version  # had it been read before, it would be this version: the loop has just looked
        return value  # type: ignore[no-any-return]

    def set(self, ref: Ref[T], value: T) -> None:
        """Give the record a new value when, and if, the transaction commits; setting the same value counts too."""
        self.writes[ref] = value

    def validate(self) -> None:
        """Raise Conflict unless all that was read still stands."""
        if not self._valid():
            raise Conflict

    def hold_everything(self) -> None:
        """Called before everything in a Map is read; for the elder only (see stm/contention.py)."""

    def _recheck(self) -> None:
        """Raise Conflict unless all that was read still stands; cheap while nobody commits anything."""
        clock = 0
        for tally in EVERYBODY.tallies:
            clock += tally.commits
        if clock != self._clock:
            if not self._valid():
                raise Conflict
            self._clock = clock

    def _valid(self) -> bool:
        """Whether all that was read still stands."""
        for stripe, (token, present) in self.scans.items():
            if not stripe.unchanged(token, present, ()):
                return False
        reads = self.reads
        return all(record._version is reads[record] for record in reads)

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
            for shard in self.adds:
                writes[shard] = None  # a written record from here on; its value is known once it is locked
            if writes or self.puts:
                self._commit_many()
            else:
                self.tally.read_only += 1
        elif not writes:
            self.tally.read_only += 1
        elif len(writes) == 1:
            for ref in writes:
                self._commit_one(ref, writes[ref])
        else:
            self._commit_many()

    def _commit_one(self, ref: Ref[Any], value: Any) -> None:
        """Commit a transaction that wrote nothing but one record."""
        reads = self.reads
        guard = ref._guard
        guard.acquire()
        version = published = None
        try:
            version = ref._version
            ref._version = None
            for other in reads:
                if other._version is not reads[other] and (other is not ref or reads[ref] is not version):
                    raise Conflict
            self.tally.commits += 1
            published = version + 1  # type: ignore[operator]
            ref._value = value
            ref._version = published
            woken = None if guard.sleepers is None else guard.sleepers.get(id(ref))
        except BaseException:
            if ref._version is None and version is not None:
                if published is not None:  # interrupted too late to give up
                    ref._value = value
                    version = published
                ref._version = version
            raise
        finally:
            guard.release()
        if woken is not None:
            for sleeper in woken:
                sleeper.wake()

    def _commit_many(self) -> None:
        """Commit in general: lock and mark what was written, look again at what was read, publish, unlock."""
        writes = self.writes
        reads = self.reads
        marked = self._mark()
        published = False
        try:
            for ref in reads:
                if ref._version is not reads[ref] and ref not in marked:
                    raise Conflict
            if self.rare and not self._may_commit():
                raise Conflict
            self.tally.commits += 1
            published = True
            if self.more:
                self._publish_more()
            woken = None
            for ref in marked:
                ref._value = writes[ref]
                ref._version = marked[ref] + 1
                guard = ref._guard
                if guard.sleepers is not None:
                    woken = guard.sleepers.get(id(ref), []) + (woken or [])
                guard.release()
        except BaseException:
            self._settle(marked, published)
            raise
        if woken is not None:
            for sleeper in woken:
                sleeper.wake()
        if self.more:
            self._wake_more()

    def _mark(self) -> dict[Ref[Any], Any]:
        """Lock the written records and mark them as being published; returns their versions.

        Waits for a lock only while holding none, so that nobody waits in a circle.
        """
        reads = self.reads
        marked: dict[Ref[Any], Any] = {}
        ref = None
        try:
            for ref in self.writes:
                guard = ref._guard
                if not marked:
                    guard.acquire()
                elif not guard.acquire(False):
                    break
                version = marked[ref] = ref._version
                ref._version = None
                if reads.get(ref, version) is not version:
                    raise Conflict
            else:
                return marked
        except Conflict:
            self._settle(marked, False)
            raise
        except BaseException:  # interrupted, perhaps just after locking one more
            if ref is not None:
                marked.setdefault(ref, None)
            self._settle(marked, False)
            raise
        self._settle(marked, False)
        with guard:  # somebody else's commit is under way there: let it end, then start again
            pass
        return self._mark()

    def _settle(self, marked: dict[Ref[Any], Any], published: bool) -> None:
        """Unlock after a commit that was given up, or, after an interruption, end it one way or the other."""
        try:
            self._unlock(marked, published)
        except BaseException:  # interrupted here as well: nothing may stay locked
            self._unlock(marked, published)
            raise

    def _unlock(self, marked: dict[Ref[Any], Any], published: bool) -> None:
        for ref, version in marked.items():
            if ref._version is None:
                if published:
                    ref._value = self.writes[ref]
                    version += 1
                ref._version = version
            if ref._guard._is_owned():
                ref._guard.release()

    def _publish_more(self) -> None:
        """What a commit does beside records, while all it wrote is locked and marked."""
        for fifo, item in self.puts:
            fifo.append(item)
        if self.removals:
            for entry, (stripe, key) in self.removals.items():
                stripe.removed = entry
                del stripe[key]
        if self.rare:
            for shard, number in self.adds.items():
                self.writes[shard] = shard._value + number
            for fifo, count in self.takes.items():
                fifo.discard(count)

    def _wake_more(self) -> None:
        for fifo, _ in self.puts:
            if fifo.bell is not None:
                fifo.ring()
        if self.shares:
            for entry, (stripe, _) in self.shares.items():
                if stripe.sleepers is not None and entry in self.writes:
                    for sleeper in stripe.sleepers:
                        sleeper.wake()

    def _may_commit(self) -> bool:
        """Whether the scanned stripes still have the same keys, and the bounded queues room."""
        for stripe, (token, present) in self.scans.items():
            if not stripe.unchanged(token, present, self.writes):
                return False
        counts: dict[Fifo[Any], int] = {}
        for fifo, _ in self.puts:
            counts[fifo] = counts.get(fifo, 0) + 1
        return all(fifo.has_room(count, self.takes.get(fifo, 0)) for fifo, count in counts.items())

    def finish(self) -> None:
        """Forget the attempt."""
        self.reads.clear()
        self.writes.clear()
        self._clock = -1
        self.few = FEW
        if self.more:
            self.more = False
            self.puts.clear()
            if self.shares:
                for entry, (stripe, key) in self.shares.items():
                    if entry._value is Absent:
                        stripe.release(entry, key)
                self.shares.clear()
            if self.removals:
                self.removals.clear()
            if self.rare:
                self.rare = False
                self.scans.clear()
                self.adds.clear()
                self.takes.clear()


class _Here(threading.local):
    """The calling thread's one Transaction."""

    def __init__(self) -> None:
        self.transaction = Transaction()


HERE = _Here()

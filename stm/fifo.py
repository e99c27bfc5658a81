"""`Fifo`: a queue for many producers and many consumers, inside and outside of transactions.

Producers append to one list, consumers take the whole list at once and are served from it afterwards: a lock taken
once a batch costs less than a lock-free step taken once an item.  An empty queue is two small objects.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from stm.errors import Conflict, Full, Retry
from stm.guard import Guard
from stm.ref import Ref
from stm.waiting import Sleeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stm.transaction import Transaction


# Seconds a consumer that finds nothing stays away before it asks to be woken: under load the next batch gathers in
# that time, which spares producers a wake-up, and the consumer a sleep, for every few items.
LINGER = 50e-6


class Fifo[T]:
    """First in, first out.  Any number of threads may use it at once.

    `put`, `get` and `get_many` are parts of a transaction; all else is for outside.

    Order: a transaction's puts appear together, at its commit, while every record it wrote is still locked.  So if
    two transactions write the same record (setting the value it already has counts), or one reads what the other
    wrote, their puts are in the order of their commits.  A transaction that only *read* what another then overwrote
    is not ordered with it.

    `bound` limits the number of items: then `put_now` waits for room and `put` retries.  `clock` gives seconds.
    """

    # `items` is what producers append to, without a lock; `_out` is what consumers took from it but have not handed
    # out yet, last first.  Everything but `items` and `_since` belongs to the holder of `guard`.  `bell` is the
    # sleeper to wake with the next item, set only while the queue is empty.
    __slots__ = (
        "_clock",
        "_head",
        "_out",
        "_out_since",
        "_since",
        "_sleepers",
        "_waiting",
        "bell",
        "bound",
        "guard",
        "items",
    )

    def __init__(self, bound: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        if bound is not None and bound < 1:
            raise ValueError(f"a Fifo must be allowed at least one item, not {bound}")
        self.items: list[T] = []
        self.bell: Sleeper | None = None
        self.bound = bound
        self.guard = Guard()
        self._out: list[T] | None = None
        self._head: Head | None = None
        self._sleepers: list[Sleeper] | None = None
        self._waiting: list[Sleeper] | None = None
        self._clock = clock
        self._since = self._out_since = 0.0

    # Outside a transaction

    def put_now(self, item: T, timeout: float | None = None) -> None:
        """Append an item at once.  On a bounded queue: wait for room, at most `timeout` seconds, then raise Full."""
        if self.bound is not None:
            self._put_bounded(item, None if timeout is None else time.monotonic() + timeout)
            return
        items = self.items
        if not items:
            self._since = self._clock()
        items.append(item)
        if self.bell is not None:
            self.ring()

    def put_many(self, items: Iterable[T]) -> None:
        """Append several items, next to each other; on a bounded queue one by one, waiting for room."""
        if self.bound is not None:
            for item in items:
                self._put_bounded(item, None)
            return
        if not self.items:
            self._since = self._clock()
        self.items.extend(tuple(items))
        if self.bell is not None:
            self.ring()

    def take(self, limit: int | None = None, timeout: float | None = None) -> list[T]:
        """Remove and return up to `limit` items, waiting until there is one; [] if `timeout` seconds pass first."""
        batch = self.take_nowait(limit)
        if batch or (timeout is not None and timeout <= 0):
            return batch
        deadline = None if timeout is None else time.monotonic() + timeout
        if LINGER:
            time.sleep(LINGER)
            batch = self.take_nowait(limit)
            if batch:
                return batch
        while True:
            sleeper = Sleeper()
            with self.guard:
                self._enlist(sleeper)
            in_time = sleeper.sleep(deadline)
            with self.guard:
                batch = self._pull(limit)
                self._dismiss(sleeper)
            if batch or not in_time:
                return batch

    def take_nowait(self, limit: int | None = None) -> list[T]:
        """Remove and return up to `limit` items, [] if there are none."""
        with self.guard:
            return self._pull(limit)

    def __len__(self) -> int:
        """About how many items there are; exact while nothing moves."""
        out = self._out
        return len(self.items) + (len(out) if out else 0)

    def head_age(self) -> float:
        """About how many seconds the next item has waited; 0.0 if there is none.

        Never less than it has; more by at most the time between the two takes (or looks at an empty queue) around
        the item's put.
        """
        if self._out:
            return max(0.0, self._clock() - self._out_since)
        if self.items:
            return max(0.0, self._clock() - self._since)
        return 0.0

    # Inside a transaction

    def put(self, txn: Transaction, item: T) -> None:
        """Append an item when the transaction commits: a blind write, which conflicts with nothing.

        On a bounded queue: retry while there is no room.
        """
        txn.more = True
        txn.puts.append((self, item))
        if self.bound is not None:
            txn.rare = True
            txn.writes[self._takers()] = None  # so that the commit locks the queue, and the room it finds stays
            pending = sum(1 for fifo, _ in txn.puts if fifo is self) - txn.takes.get(self, 0)
            if len(self) + pending > self.bound:
                txn.reads[Room(self)] = True
                raise Retry

    def get(self, txn: Transaction) -> T:
        """Remove the next item and return it; retry while there is none."""
        return self.get_many(txn, 1)[0]

    def get_many(self, txn: Transaction, limit: int) -> list[T]:
        """Remove up to `limit` items (at least one) and return them; retry while there are none.

        Conflicts with other takers of this queue, not with producers.
        """
        head = self._takers()
        taken = txn.takes.get(self, 0)
        txn.get(head)
        with self.guard:
            if head._version is not txn.reads[head]:
                raise Conflict
            found = self._look(taken, limit)
        txn.validate()  # a put seen here may belong to a commit later than something read before
        if found:
            txn.more = txn.rare = True
            txn.takes[self] = taken + len(found)
            txn.set(head, None)
            return found
        for position, (fifo, item) in enumerate(txn.puts):
            if fifo is self:
                del txn.puts[position]
                return [item]
        txn.reads[Beyond(self, taken)] = True
        raise Retry

    def _takers(self) -> Head:
        with self.guard:
            if self._head is None:
                self._head = Head(self)
            return self._head

    # For the commit protocol

    def append(self, item: T) -> None:
        """Append without waking anybody; `ring` must follow."""
        items = self.items
        if not items:
            self._since = self._clock()
        items.append(item)

    def discard(self, count: int) -> None:
        """Remove the next `count` items; the caller holds the guard."""
        while count:
            count -= len(self._pull(count))

    def has_room(self, puts: int, takes: int) -> bool:
        """Whether so many puts fit after so many takes; the caller holds the guard of a bounded queue."""
        return self.bound is None or len(self) - takes + puts <= self.bound

    def ring(self) -> None:
        """Wake the sleeper that waits for the next item."""
        if self.bell is not None:
            with self.guard:
                self._pass_on()

    # The rest needs the guard

    def _pull(self, limit: int | None) -> list[T]:
        out = self._out
        if out is None:
            self._out_since = self._since
            items = self.items
            batch = items[:]
            del items[: len(batch)]  # what was appended meanwhile stays
            if items:
                self._since = self._clock()
            if limit is None or len(batch) <= limit:
                if batch:
                    self._took()
                return batch
            batch.reverse()
            out = self._out = batch
        part = out[-limit:] if limit is not None else out[:]
        del out[-len(part) :]
        part.reverse()
        self._took()
        if not out:
            self._out = None
            if limit is None or len(part) < limit:
                part += self._pull(None if limit is None else limit - len(part))
        return part

    def _took(self) -> None:
        head = self._head
        if head is not None and head._version is not None:
            head._version += 1
        if self._waiting:
            for sleeper in self._waiting:
                sleeper.wake()

    def _look(self, start: int, limit: int) -> list[T]:
        out = self._out or []
        found = out[::-1][start : start + limit]
        if len(found) < limit:
            start = max(0, start - len(out))
            found += self.items[start : start + limit - len(found)]
        return found

    def _enlist(self, sleeper: Sleeper) -> None:
        if self._sleepers is None:
            self._sleepers = []
        self._sleepers.append(sleeper)
        self._pass_on()

    def _dismiss(self, sleeper: Sleeper) -> None:
        sleepers = self._sleepers
        if sleepers and sleeper in sleepers:
            sleepers.remove(sleeper)
            if not sleepers:
                self._sleepers = None
        self._pass_on()

    def _pass_on(self) -> None:
        """Hang up the bell for the first sleeper, and ring it if there is something to take already."""
        sleepers = self._sleepers
        if sleepers is None:
            self.bell = None
            return
        self.bell = sleepers[0]
        if self._out is not None or self.items[:1]:  # the slice takes the list's lock: either we see the item,
            sleepers[0].wake()  # or whoever appends it sees the bell
            self.bell = None

    def _put_bounded(self, item: T, deadline: float | None) -> None:
        while True:
            sleeper = Sleeper()
            with self.guard:
                if self.has_room(1, 0):
                    self.append(item)
                    self._pass_on()
                    return
                self._waiting = [*(self._waiting or ()), sleeper]
            in_time = sleeper.sleep(deadline)
            with self.guard:
                self._leave(sleeper)
            if not in_time:
                raise Full(f"no room among {self.bound} items in the time given")

    def _leave(self, sleeper: Sleeper) -> None:
        self._waiting = [other for other in self._waiting or () if other is not sleeper] or None


class Head(Ref[None]):
    """The record by which those who take from one queue in transactions exclude each other."""

    __slots__ = ()

    def __init__(self, fifo: Fifo[Any]) -> None:
        self._value = None
        self._version = 0
        self._guard = fifo.guard


class Beyond:
    """Read in place of a record by who found that a queue has no more than `count` items."""

    __slots__ = ("_count", "_fifo")

    def __init__(self, fifo: Fifo[Any], count: int) -> None:
        self._fifo = fifo
        self._count = count

    @property
    def _version(self) -> bool:
        return len(self._fifo) <= self._count

    def watch(self, sleeper: Sleeper, seen: bool) -> bool:
        """Wake the sleeper at the next put; False if there is more to take already."""
        with self._fifo.guard:
            self._fifo._enlist(sleeper)
        return self._version is seen

    def unwatch(self, sleeper: Sleeper) -> None:
        """Undo `watch`."""
        with self._fifo.guard:
            self._fifo._dismiss(sleeper)


class Room:
    """Read in place of a record by who found a bounded queue full."""

    __slots__ = ("_fifo",)

    def __init__(self, fifo: Fifo[Any]) -> None:
        self._fifo = fifo

    @property
    def _version(self) -> bool:
        return not self._fifo.has_room(1, 0)

    def watch(self, sleeper: Sleeper, seen: bool) -> bool:
        """Wake the sleeper at the next take; False if there is room already."""
        with self._fifo.guard:
            self._fifo._waiting = [*(self._fifo._waiting or ()), sleeper]
            return self._version is seen

    def unwatch(self, sleeper: Sleeper) -> None:
        """Undo `watch`."""
        with self._fifo.guard:
            self._fifo._leave(sleeper)

"""`Map`: key to value, each key its own conflict domain, whether it has a value or not.

A key that has a value, or that some transaction in flight has asked for in vain, has an *entry*: a record like any
`Ref`.  So a lookup that found nothing has still read a record, and conflicts with the insert of that key and with
nothing else.  An entry's life goes one way: Absent, then a value, then Gone, and it is taken out of its stripe by the
commit that makes it Gone (or, if it never had a value, by the last transaction that shared the entry), so nothing of
a removed key is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stm.errors import Conflict
from stm.guard import GUARD_COUNT, GUARDS, guard_for
from stm.ref import Ref
from stm.transaction import Absent, Gone

if TYPE_CHECKING:
    from collections.abc import Container, Hashable

    from stm.transaction import Transaction
    from stm.waiting import Sleeper


class Entry(Ref[Any]):
    """The record of one key.  `sharers`: how many transactions in flight found it Absent (changed under its guard)."""

    __slots__ = ("sharers",)

    def __init__(self, number: int) -> None:
        self._value = Absent
        self._version = 0
        self._guard = GUARDS[(number ^ (number >> 10)) & (GUARD_COUNT - 1)]
        self.sharers = 1


class Stripe(dict[Any, Entry]):
    """A part of the keys and their entries.  `removed`: the entry that lost its value last."""

    __slots__ = ("removed", "sleepers")

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__

    removed: Entry | None
    sleepers: list[Sleeper] | None

    def __init__(self) -> None:
        self.removed = None
        self.sleepers = None

    def share(self, entry: Entry) -> bool:
        """Keep an Absent entry linked for one more transaction; False if it is not Absent any more."""
        with entry._guard:
            if entry._value is not Absent:
                return False
            entry.sharers += 1
            return True

    def release(self, entry: Entry, key: Any) -> None:
        """Undo `share`; the last one takes the entry out, if it is still Absent."""
        with entry._guard:
            if entry._value is Absent:
                entry.sharers -= 1
                if not entry.sharers:
                    version = entry._version
                    entry._version = None
                    entry._value = Gone
                    del self[key]
                    entry._version = version + 1  # type: ignore[operator]

    def unchanged(self, token: Entry | None, present: int, marked: Container[Ref[Any]]) -> bool:
        """Whether the same keys have values as when `token` and `present` were noted.

        `marked` are the entries which the asking commit is about to publish itself.
        """
        if len(self) == present:
            return self.removed is token
        count = 0
        for entry in list(self.values()):
            if entry._version is None and entry not in marked:
                return False
            if entry._value is not Absent:
                count += 1
        return count == present and self.removed is token

    def watch(self, sleeper: Sleeper, seen: tuple[Entry | None, int]) -> bool:
        """Wake the sleeper when another key gets a value; False if the keys have changed already."""
        with guard_for(id(self)):
            self.sleepers = [*(self.sleepers or ()), sleeper]
        return self.unchanged(*seen, ())

    def unwatch(self, sleeper: Sleeper) -> None:
        """Undo `watch`."""
        with guard_for(id(self)):
            self.sleepers = [other for other in self.sleepers or () if other is not sleeper] or None


_SCANNED = Ref(None)


# Stripes are looked up by subscription and never by `get`: in CPython 3.13 `dict.get` holds the dictionary's lock while
# the look-up, finding a key that another thread made, takes the same lock again. It then spins forty times through the
# scheduler and parks: 24 us against 0.05 us.


class Map[K: Hashable, V]:
    """A dictionary shared by transactions.

    Methods that take `txn` are part of that transaction; `peek`, `size` and `snapshot` are for outside.  Any number
    of threads may use it at once.  Keys must be hashable, values should be immutable.
    """

    __slots__ = ("_mask", "_stripes")

    def __init__(self, stripes: int = 64) -> None:
        if stripes < 1 or stripes & (stripes - 1):
            raise ValueError(f"the number of stripes must be a power of two, not {stripes}")
        self._stripes = tuple(Stripe() for _ in range(stripes))
        self._mask = stripes - 1

    def get(self, txn: Transaction, key: K, default: Any = None) -> Any:
        """The key's value, or the default."""
        number = hash(key)
        try:
            entry: Entry | None = self._stripes[(number ^ (number >> 16)) & self._mask][key]
        except KeyError:
            entry = None
        if entry is not None:
            value = txn.get(entry)
            if value is not Absent and value is not Gone:
                return value
        value = self._find(txn, key)[0]
        return default if value is Absent else value

    def contains(self, txn: Transaction, key: K) -> bool:
        """Whether the key has a value."""
        return self._find(txn, key)[0] is not Absent

    def insert(self, txn: Transaction, key: K, value: V) -> None:
        """Give a value to a key that has none; KeyError if it has one."""
        found, entry = self._find(txn, key)
        if found is not Absent:
            raise KeyError(key)
        txn.writes[entry] = value
        if txn.removals:
            txn.removals.pop(entry, None)

    def set(self, txn: Transaction, key: K, value: V) -> None:
        """Give the key a value, whether it had one or not."""
        number = hash(key)
        try:
            entry: Entry | None = self._stripes[(number ^ (number >> 16)) & self._mask][key]
        except KeyError:
            entry = None
        # An entry that is linked and was read before has a value, unless this transaction shares or removes it.
        if entry is None or entry not in txn.reads or txn.shares or txn.removals:
            entry = self._find(txn, key)[1]
        txn.writes[entry] = value
        if txn.removals:
            txn.removals.pop(entry, None)

    def pop(self, txn: Transaction, key: K, *default: Any) -> Any:
        """Remove the key and return its value; without the key the default, or KeyError if none was given."""
        value, entry = self._find(txn, key)
        if value is Absent:
            if default:
                return default[0]
            raise KeyError(key)
        if entry in txn.shares:
            del txn.writes[entry]
        else:
            txn.more = True
            txn.removals[entry] = (self._stripe(key), key)
            txn.writes[entry] = Gone
        return value

    def items(self, txn: Transaction) -> list[tuple[K, V]]:
        """All keys with their values, of one instant; conflicts with every later insert, set and pop."""
        txn.hold_everything()
        txn.reads[_SCANNED] = 0  # so that what is read next is held against the scan, even if no key had a value
        found = []
        for stripe in self._stripes:
            found += self._scan(txn, stripe)
        txn.validate()
        return found

    def keys(self, txn: Transaction) -> list[K]:
        """All keys, of one instant; conflicts like `items`."""
        return [key for key, _ in self.items(txn)]

    def len(self, txn: Transaction) -> int:
        """How many keys have values, at one instant; conflicts like `items`."""
        return len(self.items(txn))

    def _scan(self, txn: Transaction, stripe: Stripe) -> list[tuple[K, V]]:
        """One stripe's keys and values as the transaction sees them, noted as read but not yet validated."""
        found = []
        token = stripe.removed
        present = 0
        reads, writes = txn.reads, txn.writes
        for key, entry in list(stripe.items()):
            value, version = entry.settled()
            if value is Gone:
                continue
            if value is not Absent:
                present += 1
                if reads.setdefault(entry, version) is not version:
                    raise Conflict
            if entry in writes:
                value = writes[entry]
            if value is not Absent and value is not Gone:
                found.append((key, value))
        if txn.scans.setdefault(stripe, (token, present)) != (token, present):
            raise Conflict
        txn.more = txn.rare = True
        txn.few = -1
        return found

    def _stripe(self, key: K) -> Stripe:
        number = hash(key)
        return self._stripes[(number ^ (number >> 16)) & self._mask]

    def _find(self, txn: Transaction, key: K) -> tuple[Any, Entry]:
        """The key's value in this transaction (Absent if none) and its entry."""
        number = hash(key)
        stripe = self._stripes[(number ^ (number >> 16)) & self._mask]
        while True:
            try:
                entry = stripe[key]
            except KeyError:
                fresh = Entry(number)
                entry = stripe.setdefault(key, fresh)
                if entry is fresh:
                    txn.more = True
                    txn.shares[entry] = (stripe, key)
                    value = txn.get(entry)
                    if value is Absent:
                        return Absent, entry
                    del txn.shares[entry]  # somebody else was quick to give it a value
                    continue
            value = txn.get(entry)
            if value is Absent:
                if entry not in txn.shares:
                    if not stripe.share(entry):
                        raise Conflict
                    txn.more = True
                    txn.shares[entry] = (stripe, key)
                return Absent, entry
            if value is not Gone:
                return value, entry
            if entry in txn.removals:
                return Absent, entry

    def peek(self, key: K, default: Any = None) -> Any:
        """The key's last committed value, or the default, outside a transaction."""
        try:
            entry = self._stripe(key)[key]
        except KeyError:
            return default
        value = entry.peek()
        return default if value is Absent or value is Gone else value

    def size(self) -> int:
        """About how many keys have values, outside a transaction; exact while nothing changes."""
        return sum(len(stripe) for stripe in self._stripes)

    def snapshot(self) -> list[tuple[K, V]]:
        """The keys with their last committed values, outside a transaction: each is right, but not of one instant."""
        found = []
        for stripe in self._stripes:
            for key, entry in list(stripe.items()):
                value = entry.peek()
                if value is not Absent and value is not Gone:
                    found.append((key, value))
        return found

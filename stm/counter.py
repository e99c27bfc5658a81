"""`Counter`: a number many threads add to without getting in each other's way."""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING

from stm.ref import Ref

if TYPE_CHECKING:
    from stm.transaction import Transaction


class Counter:
    """A number in parts, one record for each thread that adds.

    `add` is a blind write: two transactions that add never conflict.  `get` reads all parts and conflicts with every
    add; `peek` does not.
    """

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        # An immutable dict of each thread's part, replaced as a whole when a thread adds for the first time.
        self._shards: Ref[dict[int, Ref[int]]] = Ref({})

    def add(self, txn: Transaction, number: int = 1) -> None:
        """Add a number when the transaction commits."""
        thread = get_ident()
        shard = self._shards.peek().get(thread)
        if shard is None:
            shards = self._shards.update(lambda old: old if thread in old else {**old, thread: Ref(0)})
            shard = shards[thread]
        txn.more = txn.rare = True
        txn.adds[shard] = txn.adds.get(shard, 0) + number

    def get(self, txn: Transaction) -> int:
        """The sum, as this transaction sees it, its own adds included."""
        shards = txn.get(self._shards).values()
        own: int = sum(txn.adds.get(shard, 0) for shard in shards)
        return own + sum(txn.get(shard) for shard in shards)

    def peek(self) -> int:
        """About the sum, outside a transaction: of no single instant while threads add."""
        return sum(shard.peek() for shard in self._shards.peek().values())

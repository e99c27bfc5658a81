"""Sleeping until something that was read changes, and waking exactly the sleepers whose reads changed.

No wake-up is lost, for a simple reason: a sleeper puts its name down at each record it read while holding that
record's guard, and looks at the version under the same guard.  A commit publishes under that guard too.  So either
the commit came first and the sleeper sees the new version and does not sleep, or the sleeper came first and the
commit sees its name.
"""

from __future__ import annotations

import time
from _thread import allocate_lock
from typing import TYPE_CHECKING, NoReturn

from stm.errors import NothingRead, Retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate, ParamSpec, TypeVar

    from stm.transaction import Transaction

    P = ParamSpec("P")
    R = TypeVar("R")


class Sleeper:
    """One thread asleep, once; whoever has its name may wake it, any number of times."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def sleep(self, deadline: float | None) -> bool:
        """Block until woken (True) or until `time.monotonic()` reaches the deadline (False)."""
        if deadline is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """End the sleep, or keep it from starting."""
        try:
            self._lock.release()
        except RuntimeError:
            return  # somebody else woke it first


def retry(txn: Transaction) -> NoReturn:
    """Give the attempt up until something it has read changes; `atomically` then runs it again.

    Inside `or_else` the other alternative is tried first.  Raises NothingRead if nothing has been read.
    """
    if not txn.reads:
        raise NothingRead("retry waits for a change of what was read: read a record before calling it")
    raise Retry


def or_else[**P, R](
    txn: Transaction,
    first: Callable[Concatenate[Transaction, P], R],
    second: Callable[Concatenate[Transaction, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """The result of first(txn, ...), or, if that calls `retry`, of second(txn, ...).

    What the first alternative wrote leaves no trace then; what it read still counts, so that, if the second retries
    as well, a change seen by either wakes the transaction.  An exception from either undoes that alternative's
    writes too and propagates.
    """
    try:
        return nested(txn, first, *args, **kwargs)
    except Retry:
        pass  # fall out of the handler, so that what `second` raises is not chained to the signal
    return nested(txn, second, *args, **kwargs)


def nested[**P, R](
    txn: Transaction, function: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run function(txn, ...) as a part that succeeds or leaves no trace: what it raises undoes what it wrote.

    The caller may catch the exception and go on; its own writes stand.
    """
    savepoint = txn.savepoint()
    try:
        return function(txn, *args, **kwargs)
    except BaseException:
        txn.roll_back(savepoint)
        raise


def park(txn: Transaction, deadline: float | None) -> bool:
    """Sleep until something the attempt read changes (True), or until the deadline (False)."""
    sleeper = Sleeper()
    watched = []
    try:
        for record, seen in txn.watched():
            watched.append(record)
            if not record.watch(sleeper, seen):
                return True
        return sleeper.sleep(deadline)
    finally:
        for record in watched:
            record.unwatch(sleeper)

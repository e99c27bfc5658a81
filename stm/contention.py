"""`atomically`: running a transaction until it commits, however much competes with it.

An attempt that loses is run again: at once the first times, then after a short random pause that grows.  A
transaction that has lost PATIENCE attempts is made the *elder*: it locks each record when it first reads it, so that
nobody can commit to what it has read, and cannot lose any more.  There is one elder at a time, and only its own
records are held up; other commits go on.  An elder may wait for a lock while it holds others, because ordinary
commits never do.
"""

from __future__ import annotations

import random
import time
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any

from stm.errors import Conflict, NestedTransaction, Retry, Signal, TimedOut, TooManyAttempts
from stm.guard import GUARDS
from stm.transaction import HERE, Transaction
from stm.waiting import park

if TYPE_CHECKING:
    from collections.abc import Callable

    from stm.guard import Guard
    from stm.ref import Ref

EAGER = 2  # attempts lost before the first pause
PATIENCE = 8  # attempts lost before a transaction is given its turn
LONGEST_PAUSE = 256e-6  # seconds

_turn = allocate_lock()  # held by the elder


def atomically[R](
    function: Callable[..., R],
    *args: Any,
    timeout: float | None = None,
    label: str | None = None,
    attempts: int | None = None,
) -> R:
    """Run function(txn, *args) as one memory transaction and return its result.

    The function may run several times; it takes effect once, at a single moment, or, if it raises, not at all (the
    exception propagates).  It must have no effect beside what it does through `txn`, and must not block.
    `timeout` in seconds bounds the whole, waiting in `retry` included, and ends in TimedOut; `attempts` bounds the
    attempts lost to other transactions and ends in TooManyAttempts; `label` is the name under which statistics()
    counts the conflicts.  Raises NestedTransaction when called from inside a transaction function.
    Callable from any thread; blocks only in `retry`, and briefly while another thread publishes the same records.
    """
    txn = HERE.transaction
    if txn.running:
        raise NestedTransaction("atomically was called inside a transaction: call the function itself, with this txn")
    txn.running = True
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        result = function(txn, *args) if args else function(txn)
        txn.commit()
    except Conflict:
        waits = False
    except Retry:
        waits = True
    except BaseException:
        txn.finish()
        txn.running = False
        raise
    else:
        if txn.more:
            txn.finish()
        else:
            txn.reads.clear()
            txn.writes.clear()
        txn.running = False
        return result
    try:
        return _persist(txn, waits, function, args, deadline, label, attempts)
    finally:
        txn.running = False


def _persist[R](
    txn: Transaction,
    waits: bool,
    function: Callable[..., R],
    args: tuple[Any, ...],
    deadline: float | None,
    label: str | None,
    attempts: int | None,
) -> R:
    """Go on after a first attempt that lost, or has to wait."""
    ordinary = txn
    tally = txn.tally
    lost = 0
    while True:
        try:
            if waits:
                tally.waits += 1
                in_time = park(txn, deadline)
            else:
                lost += 1
                tally.conflicts[label] = tally.conflicts.get(label, 0) + 1
                in_time = deadline is None or time.monotonic() < deadline
        finally:
            txn.finish()
        if not in_time:
            tally.timeouts += 1
            raise TimedOut(f"the transaction {label or function!r} did not commit in the time it was given")
        if attempts is not None and lost >= attempts:
            raise TooManyAttempts(f"the transaction {label or function!r} lost {lost} attempts to other transactions")
        if lost < PATIENCE or waits:
            txn = ordinary
            if lost > EAGER and not waits:
                time.sleep(random.random() * LONGEST_PAUSE / (1 << (PATIENCE - lost)))
            outcome = _attempt(txn, function, args)
        else:
            txn = elder = Elder()
            outcome = elder.have_turn(function, args)
        if not isinstance(outcome, Signal):
            return outcome
        waits = isinstance(outcome, Retry)


def _attempt[R](txn: Transaction, function: Callable[..., R], args: tuple[Any, ...]) -> R | Signal:
    """Run the function once and commit; the signal that ended the attempt, if one did, is returned."""
    try:
        result = function(txn, *args)
        txn.commit()
    except Signal as signal:
        return signal.with_traceback(None)
    except BaseException:
        txn.finish()
        raise
    txn.finish()
    return result


class Elder(Transaction):
    """The transaction whose turn it is: it holds the lock of everything it reads."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Guard] = []

    def get[T](self, ref: Ref[T]) -> T:
        """The record's value; from here to the end of the attempt nobody else can change it."""
        if ref not in self.reads:
            self._hold(ref._guard)
        return super().get(ref)

    def hold_everything(self) -> None:
        """Keep everybody from committing anything: the turn of a transaction that reads a whole Map."""
        for guard in GUARDS:
            self._hold(guard)

    def _hold(self, guard: Guard) -> None:
        guard.acquire()
        self._held.append(guard)

    def have_turn[R](self, function: Callable[..., R], args: tuple[Any, ...]) -> R | Signal:
        """Run one attempt as the elder, after those that became it earlier."""
        self.tally.elders += 1
        with _turn:
            try:
                return _attempt(self, function, args)
            finally:
                self._let_go()

    def _let_go(self) -> None:
        """Unlock everything."""
        while self._held:
            guard = self._held.pop()
            if guard._is_owned():
                guard.release()

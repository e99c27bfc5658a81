"""`atomically`: running a transaction until it commits."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from stm.errors import Conflict, NestedTransaction, Retry, TimedOut, TooManyAttempts
from stm.transaction import HERE
from stm.waiting import park

if TYPE_CHECKING:
    from collections.abc import Callable

    from stm.transaction import Transaction


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
        result = function(txn, *args)
        txn.commit()
    except Conflict:
        waits = False
    except Retry:
        waits = True
    except BaseException:
        txn.finish()
        raise
    else:
        txn.finish()
        return result
    return _persist(txn, waits, function, args, deadline, label, attempts)


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
    lost = 0
    tally = txn.tally
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
        if lost > 2:
            time.sleep(random.random() * 1e-6 * (1 << min(lost, 9)))
        txn.running = True
        try:
            result = function(txn, *args)
            txn.commit()
        except Conflict:
            waits = False
        except Retry:
            waits = True
        except BaseException:
            txn.finish()
            raise
        else:
            txn.finish()
            return result

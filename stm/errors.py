"""What a memory transaction raises at its caller, and the two signals it uses inside."""


class TransactionError(RuntimeError):
    """The caller broke a rule of memory transactions; the message says which, and what to do instead."""


class NestedTransaction(TransactionError):
    """`atomically`, or an effect, was started by a thread in the middle of an attempt.

    An attempt may run many times, so nothing that leaves the memory may happen in it.  Call the inner function
    with the `txn` you have, or return what is to be done and do it after `atomically` has returned.
    """


class NothingRead(TransactionError):
    """`retry` was called by a transaction that had read nothing: no change could ever wake it."""


class MutableValue(TransactionError, TypeError):
    """A value that can be changed in place was put in a record (raised only while `debug` is on)."""


class TooManyAttempts(TransactionError):
    """The transaction lost as many attempts as its `attempts` allows; nothing of it took place."""


class TimedOut(TimeoutError):
    """The `timeout` passed before the transaction could commit; nothing of it took place."""


class Full(Exception):
    """A bounded `Fifo` had no room within the time given."""


class Signal(BaseException):
    """Ends an attempt from inside; never leaves `atomically`.

    A BaseException, so that an `except Exception` in the caller's function does not swallow it.
    """


class Conflict(Signal):
    """Another transaction was first: throw the attempt away and run it again."""


class Retry(Signal):
    """The attempt cannot go on with what it read: wait until some of it changes."""

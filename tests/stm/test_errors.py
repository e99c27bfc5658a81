"""The errors' places in Python's own families."""

from stm import Full, NestedTransaction, TimedOut, TooManyAttempts, TransactionError
from stm.errors import Signal


def test_families() -> None:
    assert issubclass(TimedOut, TimeoutError)
    assert issubclass(NestedTransaction, TransactionError)
    assert issubclass(TooManyAttempts, TransactionError)
    assert issubclass(TransactionError, RuntimeError)
    assert issubclass(Full, Exception)
    assert not issubclass(Signal, Exception)

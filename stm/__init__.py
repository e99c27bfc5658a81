"""A software transactional memory for free-threaded Python: records, maps, queues and counters changed atomically."""

from stm.contention import atomically
from stm.counter import Counter
from stm.debugging import debug
from stm.errors import (
    Full,
    MutableValue,
    NestedTransaction,
    NothingRead,
    TimedOut,
    TooManyAttempts,
    TransactionError,
)
from stm.fifo import Fifo
from stm.map import Map
from stm.ref import Ref
from stm.statistics import statistics
from stm.transaction import Transaction
from stm.waiting import nested, or_else, retry

__all__ = [
    "Counter",
    "Fifo",
    "Full",
    "Map",
    "MutableValue",
    "NestedTransaction",
    "NothingRead",
    "Ref",
    "TimedOut",
    "TooManyAttempts",
    "Transaction",
    "TransactionError",
    "atomically",
    "debug",
    "nested",
    "or_else",
    "retry",
    "statistics",
]

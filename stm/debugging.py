"""A switch for development: values that could be changed in place are refused."""

from __future__ import annotations

from typing import Any

from stm.errors import MutableValue
from stm.map import Map
from stm.ref import Ref
from stm.transaction import Transaction

MUTABLE = (list, dict, set, bytearray)

# The methods that take a value as their last argument, as they are without the check.
_PLAIN = [(owner, name, getattr(owner, name)) for owner, name in
          ((Transaction, "set"), (Ref, "__init__"), (Map, "insert"), (Map, "set"))]  # fmt: skip


def debug(on: bool) -> None:
    """Refuse (raise MutableValue for) lists, dicts, sets and bytearrays as values of records and maps, or stop it.

    Costs nothing while off.  To be called at start-up, before other threads use the memory.  The hottest conflicts
    by label are in `statistics()` with or without it.
    """
    for owner, name, plain in _PLAIN:
        setattr(owner, name, _checked(plain) if on else plain)


def _checked(plain: Any) -> Any:
    def method(*args: Any) -> Any:
        if isinstance(args[-1], MUTABLE):
            raise MutableValue(
                f"a {type(args[-1]).__name__} can be changed behind the memory's back: "
                "use a tuple, frozenset, bytes or an object that is never changed"
            )
        return plain(*args)

    return method

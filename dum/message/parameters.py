"""Parameters: the ``;name=value`` lists of URIs and header fields (RFC 3261 section 25.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dum.message.errors import HeaderError
from dum.message.grammar import QUOTED, is_token, quote, unquote

_PARAMETER = re.compile(
    rf'[ \t]*;[ \t]*([^\s;=,"<>]+)(?:[ \t]*=[ \t]*({QUOTED}|\[[0-9A-Fa-f:.]+\]|[^\s;,"<>]*))?', re.A
)


class Parameters:
    """An immutable, ordered mapping from parameter name to value; names compare without regard to case.

    A flag (``;lr``) has the value None. A quoted value is handed out unquoted and encoded as it came. Two are equal
    when they hold the same names with the same values in any order, values compared exactly. Safe to share between
    threads.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str | None]] = ()) -> None:
        self._items = tuple(items)

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read ``;a=b;c``, spaces allowed around ``;`` and ``=``. Raises HeaderError (a ValueError)."""
        if not text:
            return EMPTY
        items: list[tuple[str, str | None]] = []
        position = 0
        match = _PARAMETER.match(text)
        while match is not None:
            items.append((match[1], match[2]))
            position = match.end()
            match = _PARAMETER.match(text, position)
        if text[position:].strip():
            raise HeaderError("Bad Parameter")
        return cls(items) if items else EMPTY

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the parameter, unquoted; ``default`` when absent, None for a flag."""
        lowered = name.lower()
        for key, value in self._items:
            if key.lower() == lowered:
                return unquote(value) if value else value
        return default

    def __getitem__(self, name: str) -> str | None:
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        lowered = name.lower()
        return any(key.lower() == lowered for key, _ in self._items)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> tuple[tuple[str, str | None], ...]:
        """Every (name, value) in order, names spelt as received, values unquoted."""
        return tuple((key, unquote(value) if value else value) for key, value in self._items)

    def replaced(self, name: str, value: str | None) -> Parameters:
        """A copy with ``name`` set (in its place if present, else at the end); a non-token value is quoted."""
        if not is_token(name):
            raise ValueError(f"parameter name {name!r} is not a token")
        if value and not is_token(value) and not (value[0] == "[" and value[-1] == "]"):
            value = quote(value)
        lowered = name.lower()
        if name not in self:
            return Parameters((*self._items, (name, value)))
        return Parameters((k, value) if k.lower() == lowered else (k, v) for k, v in self._items)

    def without(self, name: str) -> Parameters:
        """A copy without ``name``."""
        lowered = name.lower()
        return Parameters((k, v) for k, v in self._items if k.lower() != lowered)

    def repeated(self) -> str:
        """The first name that occurs twice, "" when all differ."""
        seen: set[str] = set()
        for key, _ in self._items:
            lowered = key.lower()
            if lowered in seen:
                return key
            seen.add(lowered)
        return ""

    def __str__(self) -> str:
        return "".join([f";{key}" if value is None else f";{key}={value}" for key, value in self._items])

    def __repr__(self) -> str:
        return f"Parameters({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        return self._folded() == other._folded()

    def __hash__(self) -> int:
        return hash(self._folded())

    def _folded(self) -> frozenset[tuple[str, str | None]]:
        return frozenset((key.lower(), unquote(value) if value else value) for key, value in self._items)


EMPTY = Parameters()

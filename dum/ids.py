"""The only randomness of the stack: tags, branches and Call-IDs, drawn before a memory transaction begins."""

import os
from collections.abc import Callable

MAGIC_COOKIE = "z9hG4bK"
_CHUNK = 8
_BATCH = 128


class Fresh:
    """The identifiers that one step of the stack may use up; a step that is run again uses the same ones.

    `tag` has 64 random bits (RFC 3261 19.3 asks for 32). `branch` starts with the magic cookie (8.1.1.7). `initial_seq`
    is a first CSeq number below 2**16 (8.1.1.5 asks for less than 2**31).
    """

    __slots__ = ("branch", "initial_seq", "tag")

    def __init__(self, tag: str, branch: str, initial_seq: int) -> None:
        self.tag = tag
        self.branch = branch
        self.initial_seq = initial_seq

    def branch_number(self, number: int) -> str:
        """Return one more branch as unique as `branch`, for the rare step that sends several requests."""
        return f"{self.branch}.{number}"


class Ids:
    """A source of identifiers; thread-safe, never blocks for long.

    `source(count)` returns that many random bytes: the operating system's unless a test gives a repeatable one. Bytes
    are drawn in batches, because a system call for every message costs as much as parsing its start line.
    """

    __slots__ = ("_pool", "_source")

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self._source = source
        self._pool: list[str] = []

    def _draw(self) -> str:
        try:
            return self._pool.pop()
        except IndexError:
            digits = self._source(_CHUNK * _BATCH).hex()
            width = 2 * _CHUNK
            drawn = [digits[at : at + width] for at in range(0, len(digits), width)]
            mine = drawn.pop()
            self._pool.extend(drawn)
            return mine

    def fresh(self) -> Fresh:
        """Return identifiers that nobody else has."""
        digits = self._draw()
        return Fresh(self._draw(), MAGIC_COOKIE + digits, int(digits[:4], 16))

    def call_id(self) -> str:
        """Return a new Call-ID (RFC 3261 8.1.1.4): 128 random bits and no host name."""
        return self._draw() + self._draw()

"""What the set-up says to the person who runs it."""

import sys


class CannotContinueError(Exception):
    """The set-up cannot go on; the message says why, and what to do about it."""


def say(text: str) -> None:
    """Prints one line at once, so that it stands before the output of the command it announces."""
    print(f"sipdum: {text}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """`seconds` in words: "8 s", "2 min 31 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"

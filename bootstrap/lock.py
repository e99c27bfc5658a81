"""One set-up at a time: a lock that the kernel gives back whatever happens to its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.console import say


@contextmanager
def held(path: Path, *, while_waiting: str) -> Iterator[int]:
    """Holds the lock file `path`, waiting for it if need be, and gives its descriptor.

    A child that inherits the descriptor holds the lock too: a build whose parent was killed keeps the next one out
    until it has ended. The file stays behind, empty; removing it would let two holders lock two different files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(while_waiting)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)

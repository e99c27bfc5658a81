"""A bell that one thread sleeps by and any thread may ring.

It is a file descriptor and not a lock, because a lock of the free-threaded interpreter spins forty times through the
scheduler before it sleeps: waking a thread by a lock and being woken in turn costs 40 to 110 microseconds of CPU, by an
eventfd 6 (two threads, two cores, Linux).
"""

import contextlib
import os
import select
import sys

_ONE = (1).to_bytes(8, sys.byteorder)


class Bell:
    """Sleep and wake-up for the one thread that holds a seat; thread-safe to ring.

    The sleeper calls `listen`, looks once more whether there is work, and then calls `sleep`: work that was announced
    by `ring` in between is not missed. A ring while nobody listens costs nothing and is forgotten.
    """

    __slots__ = ("_listening", "_reading", "_writing")

    def __init__(self) -> None:
        self._listening = False
        if hasattr(os, "eventfd"):
            self._reading = self._writing = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._reading, self._writing = os.pipe()
            os.set_blocking(self._reading, False)
            os.set_blocking(self._writing, False)

    def __del__(self) -> None:
        # Not before: a thread that can still ring must not write to a number that is another file's by now.
        os.close(self._reading)
        if self._writing != self._reading:
            os.close(self._writing)

    def ring(self) -> None:
        """Wake the sleeper, if there is one or about to be one."""
        if self._listening:
            self.pass_on()

    def pass_on(self) -> None:
        """Ring whether anybody listens or not: for a thread that may have been woken in the place of another."""
        self._listening = False
        # When it would block, so many rings wait already that one more makes no difference.
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, _ONE)

    def listen(self) -> None:
        """Have every `ring` from now on end the next `sleep`."""
        self._listening = True

    def sleep(self, timeout: float | None) -> None:
        """Sleep until rung, `timeout` seconds at most; returns at once when it was rung since `listen`."""
        if timeout is None or timeout > 0:
            # A poll object of its own for each sleep: while a seat changes hands, two threads may sleep by one bell.
            poll = select.poll()
            poll.register(self._reading, select.POLLIN)
            # Rounded up: a deadline must have come when the sleeper looks.
            if poll.poll(None if timeout is None else int(timeout * 1000) + 1):
                with contextlib.suppress(BlockingIOError):
                    os.read(self._reading, 4096)
        self._listening = False

"""Two things that happen to one stack at once: both have run, and neither has committed, when the first one goes on."""

import threading
from collections.abc import Callable
from typing import Any

from dum.stack import Stack
from tests.support.hands import all_at_once

STEPS = ("request", "response", "fire", "command", "transport_error")
PATIENCE = 20.0


class Collision:
    """Lets `first` and `second` meet in the memory of `stack`, each in a thread of its own.

    Both work through their memory transaction once and wait for each other before they commit. Then `first` goes on to
    its end, and `second`, whose attempt has lost if it read what the other wrote, goes on after it.
    """

    def __init__(self, stack: Stack) -> None:
        self._seats: dict[int, int] = {}
        self._both = threading.Barrier(2)
        self._first_done = threading.Event()
        for name in STEPS:
            setattr(stack.core, name, self._meeting(getattr(stack.core, name)))
        self._stack = stack

    def run(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        """Let them meet; raises what either of them raises."""
        try:
            all_at_once(lambda: self._take_part(0, first), lambda: self._take_part(1, second))
        finally:
            for name in STEPS:
                delattr(self._stack.core, name)

    def _take_part(self, seat: int, run: Callable[[], None]) -> None:
        self._seats[threading.get_ident()] = seat
        try:
            run()
        finally:
            if seat == 0:
                self._first_done.set()

    def _meeting(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def met(*arguments: Any) -> Any:
            try:
                return step(*arguments)
            finally:
                seat = self._seats.pop(threading.get_ident(), None)
                if seat is not None:
                    self._both.wait(PATIENCE)
                if seat == 1:
                    assert self._first_done.wait(PATIENCE)

        return met

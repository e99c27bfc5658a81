"""How far a command is: a bar on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_BETWEEN_LINES = 5.0


class CallProgress:
    """Shows how many of `total` calls are done, how many run and how many failed; nothing at all when `silent`."""

    def __init__(
        self,
        total: int,
        *,
        silent: bool = False,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._silent = silent
        self._console = console or Console(highlight=False)
        self._clock = clock
        self._last = clock()
        self._said = ""
        self._bar: Progress | None = None
        if self._console.is_terminal and not silent:
            self._bar = Progress(
                TextColumn("calls"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[running]} running, {task.fields[failed]} failed"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task("calls", total=total, running=0, failed=0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, running: int, failed: int) -> None:
        """Show the state of things; call it as often as you like."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, running=running, failed=failed)
            return
        now = self._clock()
        if self._silent or (now - self._last < _BETWEEN_LINES and done < self._total):
            return
        line = f"{done:,} of {self._total:,} calls done, {running:,} running, {failed:,} failed"
        if line != self._said:
            self._console.print(line)
            self._console.file.flush()
        self._last, self._said = now, line

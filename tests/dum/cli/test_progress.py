"""Progress: a bar on a terminal, a line now and then elsewhere, nothing when silent."""

import io

from rich.console import Console

from dum.cli.progress import CallProgress


def shown(*, terminal: bool, silent: bool = False) -> str:
    """What is written while ten calls are done, one a second."""
    now = [0.0]
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, highlight=False)
    with CallProgress(10, silent=silent, console=console, clock=lambda: now[0]) as progress:
        for done in range(11):
            now[0] = float(done)
            progress.show(done, 10 - done, done // 10)
    return file.getvalue()


def test_lines_elsewhere() -> None:
    assert shown(terminal=False).splitlines() == [
        "5 of 10 calls done, 5 running, 0 failed",
        "10 of 10 calls done, 0 running, 1 failed",
    ]


def test_a_bar_on_a_terminal() -> None:
    written = shown(terminal=True)
    assert "10/10" in written
    assert "\x1b[" in written


def test_silence() -> None:
    assert shown(terminal=False, silent=True) == ""
    assert shown(terminal=True, silent=True) == ""


def test_the_end_is_said_once() -> None:
    file = io.StringIO()
    with CallProgress(1, console=Console(file=file), clock=lambda: 0.0) as progress:
        progress.show(1, 0, 0)
        progress.show(1, 0, 0)
    assert file.getvalue().count("1 of 1") == 1

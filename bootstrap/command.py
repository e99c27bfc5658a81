"""Runs other programs: quietly, with a log, and leaving none behind when the set-up is interrupted."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bootstrap.console import CannotContinueError

TAIL_LINES = 30
PATIENCE = 5.0
"""Seconds that an interrupted command has for ending by itself."""

# What a surrounding make or Python would otherwise pass on to the make and the Python that are run here.
FOREIGN_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHONHOME", "PYTHONPATH", "PYTHON_GIL")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without what belongs to the surrounding make or Python, and with untranslated messages."""
    kept = {name: value for name, value in environment.items() if name not in FOREIGN_VARIABLES}
    return {**kept, "LC_ALL": "C.UTF-8"}


@contextmanager
def running(arguments: Sequence[str | Path], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a process group of its own, which is gone, with all its descendants, when the block ends."""
    child: subprocess.Popen[bytes] = subprocess.Popen(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            for number in (signal.SIGTERM, signal.SIGKILL):  # the second for those that outlive their leader
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(PATIENCE)
        if child.stdout:
            child.stdout.close()


def output_of(
    arguments: Sequence[str | Path], *, timeout: float, environment: Mapping[str, str] | None = None
) -> str | None:
    """The standard output of a command, or None if it cannot be run, fails, or takes longer than `timeout` seconds."""
    try:
        with running(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as child:
            output, _ = child.communicate(timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return output.decode(errors="replace") if child.returncode == 0 else None


def run_logged(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path | None = None,
    keep_open: Sequence[int] = (),
    watch: Callable[[], bool] = lambda: True,
) -> bool:
    """Runs a command with its output appended to `log`; says whether it ended with status 0.

    The command is stopped as soon as `watch`, asked several times a second, answers False.
    """
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(map(str, arguments))}\n".encode())
        output.flush()
        try:
            with running(
                arguments, stdout=output, stderr=output, env=environment, cwd=directory, pass_fds=tuple(keep_open)
            ) as child:
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        return child.wait(0.2) == 0
                    if not watch():
                        return False
        except OSError as error:
            output.write(f"{error}\n".encode())
            return False


def must_run(
    purpose: str,
    arguments: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path | None = None,
    keep_open: Sequence[int] = (),
) -> float:
    """Runs a command that has to succeed and returns the seconds it took.

    Raises CannotContinueError, carrying the end of the log, if it fails.
    """
    started = time.monotonic()
    if not run_logged(arguments, log=log, environment=environment, directory=directory, keep_open=keep_open):
        raise CannotContinueError(f"{purpose} failed; the end of its output:\n\n{tail(log)}")
    return time.monotonic() - started


def tail(log: Path) -> str:
    """The last lines of a log, indented."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"    {line}" for line in lines)

"""Runs the command line in processes of its own, which are gone at the end of a with statement."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.architecture.tree import ROOT

# Generous: a machine that is busy with other things must not fail a test.
PATIENCE = 90.0


def dum(*arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dum.cli", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Serving:
    """A `dum serve --json` that runs: where it listens, and its report once it is told to stop."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr is not None
        self.ready = process.stderr.readline()
        self.port = self.ready.strip().rpartition(":")[2]

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def report(self) -> dict[str, Any]:
        """Wait for its end and return what it wrote."""
        written, complaints = self.process.communicate(timeout=PATIENCE)
        assert complaints == ""
        found: dict[str, Any] = json.loads(written)
        return found

    def stop(self) -> dict[str, Any]:
        """Tell it to stop, and return its report."""
        self.signal()
        return self.report()


@contextmanager
def serving(*options: str) -> Iterator[Serving]:
    """Run `dum serve` on a free port with these options, for the length of a with statement."""
    command: Sequence[str] = [sys.executable, "-m", "dum.cli", "serve", "--listen", "udp:127.0.0.1:0", "--json"]
    with subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Serving(process)
        finally:
            process.kill()

"""Runs SIPp, either side, and reads its statistics."""

import csv
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interop.flows import scenario
from tests.interop.peers import free_port, is_taken, peer

# Generous: a machine that is busy with other things must not fail a test.
PATIENCE = 120.0
SCENARIOS = Path(__file__).parent / "scenarios"


class Sipp:
    """One run of SIPp in `directory`: a file of tests/interop/scenarios, a flow, or "-sn NAME" for one of its own."""

    def __init__(self, directory: Path, what: str, *options: str) -> None:
        self._directory = directory
        self.port = free_port()
        chosen = self._chosen(what)
        common = ["-i", "127.0.0.1", "-p", str(self.port), "-s", "alice", "-nostdin", "-timeout", f"{PATIENCE:.0f}"]
        counted = ["-trace_stat", "-stf", "statistics.csv", "-fd", "1", "-trace_err", "-error_file", "errors.txt"]
        self._command = [peer("sipp"), *chosen, *common, "-timeout_error", *counted, *options]

    def _chosen(self, what: str) -> list[str]:
        if what.startswith("-sn "):
            return what.split()
        if what.endswith(".xml"):
            return ["-sf", str(SCENARIOS / what)]
        file = self._directory / "scenario.xml"
        file.write_text(scenario(what), encoding="utf-8")
        return ["-sf", str(file)]

    def call(self, port: int | str, calls: int = 1, rate: int = 10) -> dict[str, int]:
        """Place calls to a port of 127.0.0.1, wait for their end and return the counts."""
        options = [f"127.0.0.1:{port}", "-m", str(calls), "-r", str(rate), "-l", "2000", "-recv_timeout", "60000"]
        done = subprocess.run(
            [*self._command, *options],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=2 * PATIENCE,
            check=False,
        )
        counts = self.counts()
        assert done.returncode == 0, f"SIPp ended with {done.returncode}: {counts} {self.complaints()}"
        assert counts["SuccessfulCall"] == calls, self.complaints()
        return counts

    @contextmanager
    def answering(self, calls: int) -> Iterator[subprocess.Popen[bytes]]:
        """Have it answer so many calls, for the length of a with statement; it listens when this begins."""
        with subprocess.Popen(
            [*self._command, "-m", str(calls)],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                for _ in range(int(PATIENCE / 0.05)):
                    if is_taken(self.port):
                        break
                    try:
                        status = process.wait(0.05)
                    except subprocess.TimeoutExpired:
                        continue
                    raise AssertionError(f"SIPp ended with {status}: {self.complaints()}")
                yield process
            finally:
                process.kill()

    def finish(self, process: subprocess.Popen[bytes]) -> dict[str, int]:
        """Wait for the end of an answering SIPp and return its counts."""
        process.send_signal(signal.SIGUSR1)  # Without this it waits for repeated messages for some seconds.
        status = process.wait(PATIENCE)
        assert status in (0, 99), f"SIPp ended with {status}: {self.complaints()}"
        return self.counts()

    def counts(self) -> dict[str, int]:
        """Return the cumulative counts of SIPp's last line of statistics, by SIPp's own names."""
        with (self._directory / "statistics.csv").open(newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file, delimiter=";"))
        return {
            name.removesuffix("(C)"): int(value)
            for name, value in rows[-1].items()
            if name.endswith("(C)") and value.isdecimal()
        }

    def complaints(self) -> str:
        """Return what SIPp wrote into its error file."""
        file = self._directory / "errors.txt"
        return file.read_text(errors="replace") if file.exists() else "(no complaint)"

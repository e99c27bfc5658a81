"""`dum demo`: a server in a process of its own, thousands of calls to it, and a table for both sides."""

import argparse
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dum.cli import arguments, load, report

_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 30.0
_READY = "listening on udp:"


class Server:
    """`dum serve --json` in its own process; `address` is HOST:PORT, where it listens."""

    def __init__(self, workers: int) -> None:
        command = [sys.executable, "-m", "dum.cli", "serve", "--listen", "udp:127.0.0.1:0"]
        self._process = subprocess.Popen(
            [*command, "--workers", str(workers), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A group of its own: Ctrl-C at the terminal is for the demo, which then ends the server in order.
            start_new_session=True,
        )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.address = ""
        self._reader = threading.Thread(target=self._listen, name="dum demo server", daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        """Pass on what the server says on standard error, so that it never blocks on a full pipe."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if self.address:
                print(f"server: {line}", end="", file=sys.stderr)
            self._said.put(line.strip())
        self._said.put("")

    def wait_ready(self) -> None:
        """Wait until it listens; raises OSError with what it said when it does not come to that."""
        try:
            line = self._said.get(timeout=_STARTS_WITHIN)
        except queue.Empty:
            raise OSError(f"the server did not start within {_STARTS_WITHIN:g} s") from None
        if not line.startswith(_READY):
            raise OSError(f"the server did not start: {line or 'it said nothing'}")
        self.address = line.removeprefix(_READY)

    def finish(self) -> dict[str, Any]:
        """Have it finish and return its report; raises OSError when it gives none."""
        self._process.terminate()
        try:
            # Far less than a pipe holds, so that it can't block on writing it.
            self._process.wait(_STOPS_WITHIN)
            assert self._process.stdout is not None
            found: dict[str, Any] = json.loads(self._process.stdout.read())
        except (subprocess.TimeoutExpired, ValueError):
            raise OSError("the server ended without a report") from None
        return found

    def reap(self) -> None:
        """End it whatever it is at, and give back what it held here."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


@contextmanager
def server(workers: int) -> Iterator[Server]:
    """Run a server for the length of a with statement: it is gone afterwards, however that ends."""
    started = Server(workers)
    try:
        started.wait_ready()
        yield started
    finally:
        started.reap()


def add_to(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="a server, a caller, thousands of calls on loopback, and a table",
        description="Runs a server and a caller in their own processes on loopback UDP; exit status 0 when every "
        "call completed: INVITE, 180, 200, ACK, hold, BYE, 200.",
    )
    # Twice of what runs at once on a quiet machine: a busy one then slows down instead of repeating ever more.
    load.add_options(parser, calls=3000, rate=150.0, hold=0.5, concurrent=150)
    arguments.add_workers(parser)
    arguments.add_json(parser)
    parser.set_defaults(run=run, listen=["udp:127.0.0.1:0"])


def run(wanted: argparse.Namespace) -> int:
    """Run `dum demo`."""
    with server(wanted.workers) as callee:
        if not wanted.json:
            print(
                f"{wanted.calls:,} calls, {wanted.rate:g} a second, to a server in a process of its own "
                f"on udp:{callee.address}",
                flush=True,
            )
        caller = load.place_calls(wanted, f"sip:demo@{callee.address}")
        served = callee.finish()
    report.show({"caller": caller, "server": served}, as_json=wanted.json)
    completed = caller["calls"]["completed"] == wanted.calls == served["calls"]["completed"]
    if not wanted.json:
        print("every call completed" if completed else "NOT every call completed", flush=True)
    return 0 if completed else 1

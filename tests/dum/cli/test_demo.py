"""`dum demo`: both sides, their table, and nothing left behind."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dum.cli import demo, load
from tests.dum.cli.processes import dum


def test_both_sides_complete_every_call() -> None:
    done = dum("demo", "--calls", "50", "--rate", "500", "--hold", "0.05", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["caller"]["calls"] == {"completed": 50, "failed": 0, "reasons": {}}
    assert found["server"]["calls"] == {"received": 50, "completed": 50, "failed": 0, "reasons": {}}


def test_what_people_read() -> None:
    done = dum("demo", "--calls", "5", "--rate", "100")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("5 calls, 100 a second, to a server in a process of its own on udp:127.0.0.1:")
    assert "5 of 5 calls done, 0 running, 0 failed" in lines
    assert lines[-1] == "every call completed"
    for line in (
        "calls completed",
        "calls failed",
        "calls per second",
        "call set-up time p99",
        "retransmissions",
        "memory transactions committed",
        "conflicts",
        "attempts per commit",
        "threads",
        "interpreter",
        "GIL",
    ):
        assert any(line in written for written in lines), line


def test_the_server_is_gone_whatever_happens() -> None:
    started: list[demo.Server] = []

    def fail() -> None:
        with demo.server(1) as running:
            started.append(running)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert started[0].address.startswith("127.0.0.1:")
    with pytest.raises(OSError, match="ended without a report"):
        started[0].finish()


def test_a_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such thing >&2\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(OSError, match="the server did not start: no such thing"), demo.server(1):
        pass


def test_calls_that_the_server_has_not_seen_the_end_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status asks both sides: a caller that claims too much is found out."""
    shared = {
        "seconds": 1.0,
        "calls_per_second": 1.0,
        "processor_seconds": 1.0,
        "retransmissions": 0,
        "threads": 4,
        "gil": False,
        "memory": {"commits": 1, "conflicts": 0, "attempts_per_commit": 1.0},
        "interpreter": "CPython",
        "free_threaded_build": True,
    }
    claimed: dict[str, Any] = {"calls": {"completed": 1, "failed": 0, "reasons": {}}, **shared}
    monkeypatch.setattr(load, "place_calls", lambda _wanted, _target: claimed)
    assert demo.run(argparse.Namespace(workers=1, calls=1, rate=1.0, json=True)) == 1

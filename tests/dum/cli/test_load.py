"""`dum load`: how many calls at once, which of them completed, and why others did not."""

import json
import threading
from typing import Any

import pytest

from dum import Call, DialogUsageManager, IncomingCall
from dum.cli.alarms import Alarms
from dum.cli.load import Load
from dum.cli.progress import CallProgress
from dum.cli.serve import Answering
from tests.dum.cli.processes import PATIENCE, dum, serving

SILENT = CallProgress(0, silent=True)
OPTIONS: dict[str, Any] = {"calls": 50, "rate": 1e6, "concurrent": 1000, "hold": 0.0, "timeout": PATIENCE}


def loaded(callee: DialogUsageManager, **options: Any) -> Load:
    """Run a load against a started manager."""
    address = callee.addresses[0]
    caller = DialogUsageManager()
    load = Load(caller, f"sip:bob@{address.host}:{address.port}", **{**OPTIONS, **options})
    with caller:
        load.run(SILENT)
    return load


def test_every_call_completes() -> None:
    callee = DialogUsageManager()
    with Alarms() as alarms:
        Answering(callee, alarms, ring=0.01)
        with callee:
            load = loaded(callee, hold=0.01)
    found = load.report()
    assert found["calls"] == {"completed": 50, "failed": 0, "reasons": {}}
    assert found["setup_seconds"]["p50"] >= 0.01
    assert found["seconds"] >= 0.02
    assert found["calls_per_second"] > 0


def test_never_more_at_once_than_asked_for() -> None:
    callee = DialogUsageManager()
    at_once: list[int] = []
    with Alarms() as alarms:
        Answering(callee, alarms, ring=0.01)
        callee.on(IncomingCall)(lambda _call: at_once.append(callee.statistics()["calls"]))
        with callee:
            load = loaded(callee, concurrent=3)
    assert load.report()["calls"]["completed"] == 50
    # The callee's end of a call is over before the caller's is: it hears the BYE first.
    assert 1 <= max(at_once) <= 3


def test_reasons_are_counted() -> None:
    callee = DialogUsageManager()
    lock, numbers = threading.Lock(), iter(range(50))

    @callee.on(IncomingCall)
    def reject_some(call: Call, incoming: IncomingCall) -> None:
        with lock:
            number = next(numbers)
        if number % 5 == 0:
            call.reject(486)
        elif number % 5 == 1:
            call.reject(603)
        else:
            call.answer(incoming.offer)

    with callee:
        load = loaded(callee)
    assert load.report()["calls"] == {
        "completed": 30,
        "failed": 20,
        "reasons": {"486 rejected": 10, "603 rejected": 10},
    }


def test_calls_that_nobody_answers_are_given_up() -> None:
    callee = DialogUsageManager()
    callee.on(IncomingCall)(lambda call: call.ring())
    with callee:
        load = loaded(callee, calls=5, timeout=0.2)
    assert load.report()["calls"] == {"completed": 0, "failed": 5, "reasons": {"not answered within 0.2 s": 5}}
    assert load.report()["setup_seconds"] == {"p50": None, "p95": None, "p99": None}


def test_calls_are_placed_at_the_rate_asked_for() -> None:
    now = [0.0]
    callee = DialogUsageManager()
    callee.on(IncomingCall)(lambda call, incoming: call.answer(incoming.offer))
    caller = DialogUsageManager()
    with callee:
        target = f"sip:bob@127.0.0.1:{callee.addresses[0].port}"
        load = Load(caller, target, **{**OPTIONS, "calls": 10, "rate": 2.0}, clock=lambda: now[0])
        placed: list[tuple[float, int]] = []

        class Watching(CallProgress):
            """Lets half a second pass whenever the load has nothing to do."""

            def show(self, done: int, running: int, failed: int) -> None:
                placed.append((now[0], load.placed))
                now[0] += 0.25

        with caller:
            load.run(Watching(0, silent=True))
    assert load.done == 10
    # Call n, counted from 0, is due after n/2 seconds.
    assert all(count <= 1 + int(moment * 2) for moment, count in placed)
    assert {int(moment * 2) for moment, _ in placed} >= set(range(9))


def test_the_command() -> None:
    with serving() as server:
        done = dum("load", f"sip:{server.port}@127.0.0.1:{server.port}", "--calls", "20", "--rate", "500", "--json")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found = json.loads(done.stdout)
        assert found["calls"] == {"completed": 20, "failed": 0, "reasons": {}}
        # Place, 180, 200, end, 200: five memory transactions for each call.
        assert found["memory"]["commits"] >= 100
        assert found["memory"]["attempts_per_commit"] >= 1.0
        assert server.stop()["calls"]["completed"] == 20


def test_the_status_when_calls_fail() -> None:
    with serving("--code", "503") as server:
        done = dum("load", f"sip:bob@127.0.0.1:{server.port}", "--calls", "3", "--rate", "500")
        assert done.returncode == 1
        assert "503 rejected" in done.stdout
        assert "3 of 3 calls done, 0 running, 3 failed" in done.stdout
        server.stop()


@pytest.mark.parametrize("option", ["--calls=0", "--rate=0", "--concurrent=-1", "--hold=long", "--listen=5060"])
def test_bad_arguments(option: str) -> None:
    done = dum("load", "sip:127.0.0.1", option)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"dum load: argument {option.partition('=')[0]}: ")
    assert done.stderr.count("\n") == 1

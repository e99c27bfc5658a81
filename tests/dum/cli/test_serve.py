"""`dum serve`: what it answers, and how it ends."""

import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from dum import Call, DialogUsageManager, Progress, Terminated
from dum.cli.alarms import Alarms
from dum.cli.descriptions import Descriptions
from dum.cli.serve import Answering
from tests.architecture.tree import ROOT
from tests.dum.cli.processes import PATIENCE, Serving, dum, serving


class Pair:
    """A manager that answers, and one that calls it."""

    def __init__(self, **options: Any) -> None:
        self.callee = DialogUsageManager()
        self.caller = DialogUsageManager()
        self.alarms = Alarms()
        self.answering = Answering(self.callee, self.alarms, **options)
        self.provisionals: list[int] = []
        self.caller.on(Progress)(self._progress)

    def _progress(self, _call: Call, progress: Progress) -> None:
        self.provisionals.append(progress.status)

    def __enter__(self) -> "Pair":
        self.alarms.__enter__()
        self.callee.start()
        self.caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.caller.stop(PATIENCE)
        assert self.callee.stop(PATIENCE)
        self.alarms.__exit__()

    def call(self, offer: bytes | None = None) -> Call:
        """Place a call."""
        address = self.callee.addresses[0]
        body = Descriptions(address).offer if offer is None else offer
        return self.caller.call(f"sip:bob@{address.host}:{address.port}", offer=body)

    def counts(self) -> dict[str, Any]:
        """Return what the answering side has counted once both sides are done."""
        self.caller.stop(PATIENCE)
        self.callee.stop(PATIENCE)
        counts: dict[str, Any] = self.answering.report(1.0, 0.5)["calls"]
        return counts


def test_a_call_rings_and_is_answered() -> None:
    with Pair() as pair:
        call = pair.call()
        call.wait_established(PATIENCE)
        assert b"m=audio 9 RTP/AVP" in call.remote_body
        call.end()
        assert call.wait_ended(PATIENCE).status == 200
        assert pair.provisionals == [180]
        assert pair.counts() == {"received": 1, "completed": 1, "failed": 0, "reasons": {}}


def test_ringing_holds_nobody_up() -> None:
    """A hundred calls ring for longer than two workers could wait for one after the other."""
    with Pair(ring=0.3, early=True) as pair:
        calls = [pair.call() for _ in range(100)]
        for call in calls:
            call.wait_established(PATIENCE)
        assert pair.provisionals == [183] * 100
        assert pair.callee.statistics()["threads"] == 4, "no handler had to be taken over"
        for call in calls:
            call.end()
        assert {call.wait_ended(PATIENCE).status for call in calls} == {200}
        assert pair.counts()["completed"] == 100


def test_a_rejection() -> None:
    with Pair(code=603) as pair:
        call = pair.call()
        with pytest.raises(Terminated, match="603"):
            call.wait_established(PATIENCE)
        assert pair.counts() == {"received": 1, "completed": 0, "failed": 1, "reasons": {"603 rejected": 1}}


def test_an_offer_that_can_not_be_answered() -> None:
    with Pair() as pair:
        call = pair.call(b"this is no session description")
        assert call.wait_ended(PATIENCE).status == 488


def test_a_call_that_is_hung_up_on() -> None:
    with Pair(bye=0.05) as pair:
        call = pair.call()
        call.wait_established(PATIENCE)
        ended = call.wait_ended(PATIENCE)
        assert (ended.status, ended.by_peer) == (200, True)
        assert pair.counts()["completed"] == 1


def test_a_caller_who_gives_up_while_it_rings() -> None:
    rings = threading.Event()
    with Pair(ring=0.2) as pair:
        pair.caller.on(Progress)(lambda _call, _progress: rings.set())
        call = pair.call()
        assert rings.wait(PATIENCE)
        call.end()
        assert call.wait_ended(PATIENCE).status == 487
        last = pair.call()
        last.wait_established(PATIENCE)  # By now the alarm of the first has rung, and hurt nothing.
        last.end()
        last.wait_ended(PATIENCE)
        assert pair.counts() == {"received": 2, "completed": 1, "failed": 1, "reasons": {"487 cancelled": 1}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    with serving() as server:
        assert server.ready.startswith("listening on udp:127.0.0.1:")
        server.signal(number)
        found = server.report()
        assert server.process.returncode == 0
        assert found["calls"] == {"received": 0, "completed": 0, "failed": 0, "reasons": {}}
        assert found["threads"] >= 4


def place(manager: DialogUsageManager, server: Serving) -> Call:
    """Place a call to a server."""
    return manager.call(f"sip:bob@127.0.0.1:{server.port}", offer=Descriptions(manager.addresses[0]).offer)


def wait_until_it_refuses(manager: DialogUsageManager, server: Serving) -> None:
    """Call until that is refused: the server has seen the signal then."""
    while True:
        call = place(manager, server)
        try:
            call.wait_established(PATIENCE)
        except Terminated:
            assert call.wait_ended(0).status == 503
            return
        call.end()
        call.wait_ended(PATIENCE)


def test_what_runs_is_finished_first() -> None:
    with serving("--finish", "3600") as server, DialogUsageManager() as manager:
        call = place(manager, server)
        call.wait_established(PATIENCE)
        server.signal()
        wait_until_it_refuses(manager, server)
        assert call.is_established
        call.end()
        assert call.wait_ended(PATIENCE).status == 200
        found = server.report()["calls"]
        assert found["completed"] == found["received"] >= 1
        assert server.process.returncode == 0


def test_what_goes_on_for_too_long_is_ended() -> None:
    with serving("--finish", "0.2") as server, DialogUsageManager() as manager:
        call = place(manager, server)
        call.wait_established(PATIENCE)
        server.signal()
        ended = call.wait_ended(PATIENCE)
        assert (ended.status, ended.by_peer) == (200, True)
        assert server.report()["calls"]["completed"] == 1
        assert server.process.returncode == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with serving("--finish", "3600") as server, DialogUsageManager() as manager:
        call = place(manager, server)
        call.wait_established(PATIENCE)
        server.signal(signal.SIGINT)
        wait_until_it_refuses(manager, server)
        server.signal(signal.SIGINT)
        server.report()
        assert server.process.returncode == 1
        manager.stop(0)


def test_the_table_for_people() -> None:
    command = [sys.executable, "-m", "dum.cli", "serve", "--listen", "udp:127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening on udp:127.0.0.1:")
            process.terminate()
            written, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert "calls completed" in written
    assert process.returncode == 0


def test_an_address_that_can_not_be_listened_on() -> None:
    with serving() as server:
        refused = dum("serve", "--listen", f"udp:127.0.0.1:{server.port}")
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"dum: can't listen on udp:127.0.0.1:{server.port}: ")
        assert refused.stderr.count("\n") == 1
        server.stop()

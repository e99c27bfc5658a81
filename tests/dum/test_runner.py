"""Effects after commit: exactly once, in commit order for each lane, by one thread at a time, and nobody waits."""

import logging
import threading
from functools import partial
from typing import Any

import pytest

from dum.effects import Count, Effect, Send, StartTimer, StopTimer, Tell
from dum.runner import LANES, Runner, Timer, lane_of
from stm import Ref, Transaction, atomically
from tests.support.hands import all_at_once
from transport import Deadlines, TransportError

PATIENCE = 20.0


class Recorder:
    """An outlet and an application that note what reaches them."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, bytes]] = []
        self.told: list[tuple[Any, Any, int]] = []
        self.woken: list[int] = []
        self.refuses: set[str] = set()
        self.deadlines = [Deadlines[Timer](lambda: 0.0) for _ in range(2)]
        self.runner = Runner(self, self.deadlines, lambda: 100.0, self.tell, self.woken.append)

    def send(self, destination: Any, data: bytes, lane: int, key: str) -> None:
        if destination in self.refuses:
            raise TransportError("refused", "nobody listens there")
        self.sent.append((destination, data))

    def tell(self, owner: Any, event: Any, lane: int) -> None:
        self.told.append((owner, event, lane))

    def carry_out(self, lane: int, *effects: Effect) -> None:
        atomically(self.runner.put, lane, list(effects))
        self.runner.drain(lane)


def test_lanes() -> None:
    assert all(0 <= lane_of(str(number)) < LANES for number in range(1000))
    assert lane_of("a84b4c76e66710") == lane_of("a84b4c76e66710")


def test_every_kind_of_effect() -> None:
    recorder = Recorder()
    recorder.carry_out(
        3, Send("there", b"INVITE"), StartTimer("key", "A", 0.5, 7), Tell("call", "event"), Count("stray_acks")
    )
    assert recorder.sent == [("there", b"INVITE")]
    assert recorder.told == [("call", "event", 3)]
    assert recorder.runner.tally.total() == {"stray_acks": 1}
    assert recorder.deadlines[1].due(100.4) == []
    assert recorder.deadlines[1].due(100.5) == [(("key", "A"), (3, "key", "A", 7))]


def test_timers_are_replaced_stopped_and_the_earliest_wakes_its_shard() -> None:
    recorder = Recorder()
    recorder.carry_out(2, StartTimer("key", "A", 5.0, 0))
    recorder.carry_out(2, StartTimer("other", "B", 9.0, 0))
    assert recorder.woken == [0]
    recorder.carry_out(2, StartTimer("key", "A", 1.0, 1))
    assert recorder.woken == [0, 0]
    recorder.carry_out(2, StopTimer("other", "B"), StopTimer("nobody", "B"))
    assert recorder.deadlines[0].due(1000.0) == [(("key", "A"), (2, "key", "A", 1))]


def test_nothing_of_an_attempt_that_is_given_up() -> None:
    recorder = Recorder()

    def fail(txn: Transaction) -> None:
        recorder.runner.put(txn, 0, [Send("there", b"INVITE")])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        atomically(fail)
    recorder.runner.drain(0)
    assert recorder.sent == []


def test_who_hears_of_a_transport_error() -> None:
    """The SIP transaction that is named, after everything else of its lane was carried out."""
    recorder = Recorder()
    recorder.refuses.add("nowhere")
    failed: list[tuple[int, str, int]] = []
    recorder.runner.failed = lambda lane, key: failed.append((lane, key, len(recorder.sent)))
    recorder.carry_out(5, Send("nowhere", b"INVITE", "ckey"), Send("nowhere", b"ACK"), Send("there", b"BYE"))
    assert failed == [(5, "ckey", 1)]


def test_an_effect_that_fails_keeps_no_other_from_happening(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()

    def bug(owner: Any, event: Any, lane: int) -> None:
        raise RuntimeError("a bug of the application's queue")

    recorder.runner.tell = bug
    with caplog.at_level(logging.ERROR):
        recorder.carry_out(0, Tell("call", "event"), Send("there", b"BYE"))
    assert recorder.sent == [("there", b"BYE")]
    assert "could not be carried out: Tell('event')" in caplog.text
    recorder.carry_out(0, Send("there", b"OK"))
    assert len(recorder.sent) == 2


def test_a_lane_that_is_taken_keeps_nobody_waiting() -> None:
    """Whoever finds another thread at it goes on; that one carries out what came meanwhile, in order."""
    recorder, entered, released = Recorder(), threading.Event(), threading.Event()

    def slow(owner: Any, event: Any, lane: int) -> None:
        entered.set()
        assert released.wait(PATIENCE)

    recorder.runner.tell = slow

    def second() -> None:
        assert entered.wait(PATIENCE)
        recorder.carry_out(0, Send("there", b"second"))
        recorder.carry_out(1, Send("there", b"another lane"))
        assert recorder.sent == [("there", b"another lane")]
        released.set()

    all_at_once(lambda: recorder.carry_out(0, Tell("call", "event"), Send("there", b"first")), second)
    assert recorder.sent == [("there", b"another lane"), ("there", b"first"), ("there", b"second")]


def test_what_a_drain_causes_in_its_own_lane_is_carried_out_after_it() -> None:
    recorder = Recorder()
    recorder.runner.tell = lambda owner, event, lane: recorder.carry_out(lane, Send("there", b"caused"))
    recorder.carry_out(0, Tell("call", "event"), Send("there", b"first"))
    assert [data for _, data in recorder.sent] == [b"first", b"caused"]


@pytest.mark.parametrize("lanes", [1, 3])
def test_commit_order_on_eight_threads(lanes: int) -> None:
    """Each commit counts a lane's record up and tells of it: every number comes once, and in order."""
    recorder = Recorder()
    records = [Ref(0) for _ in range(lanes)]

    def step(txn: Transaction, lane: int) -> None:
        number = txn.get(records[lane]) + 1
        txn.set(records[lane], number)
        recorder.runner.put(txn, lane, [Tell(lane, number)])

    def work(thread: int) -> None:
        for turn in range(300):
            lane = (thread + turn) % lanes
            atomically(step, lane)
            recorder.runner.drain(lane)

    all_at_once(*(partial(work, thread) for thread in range(8)))
    for lane in range(lanes):
        numbers = [event for owner, event, _ in recorder.told if owner == lane]
        assert numbers == list(range(1, records[lane].peek() + 1))
    assert len(recorder.told) == 2400

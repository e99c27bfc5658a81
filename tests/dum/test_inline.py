"""Everything on the reactor's thread: the order of a turn, its wake-ups, and a call over a real socket."""

import threading
from typing import Any, cast

from dum import Call, DialogUsageManager, IncomingCall
from dum.inline import Inline
from dum.runner import Timer
from dum.stack import Stack
from transport import Deadlines


class RecordingStack:
    """A stack that only notes what it is given."""

    def __init__(self) -> None:
        self.happened: list[object] = []

    def receive(self, data: bytes, flow: Any) -> None:
        self.happened.append(data)

    def fire(self, timer: Timer) -> None:
        self.happened.append(timer[2])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def inline_with(stack: RecordingStack, clock: Clock) -> tuple[Inline, Deadlines[Timer], list[str]]:
    deadlines: Deadlines[Timer] = Deadlines(clock)
    woken: list[str] = []
    inline = Inline(cast(Stack, stack), deadlines, lambda: woken.append("woken"), clock=clock)
    return inline, deadlines, woken


def test_a_turn_fires_what_is_due_then_runs_handlers_and_says_when_it_is_wanted_next() -> None:
    stack, clock = RecordingStack(), Clock()
    inline, deadlines, _ = inline_with(stack, clock)
    deadlines.set(("k", "A"), 0.5, (0, "k", "A", 0))
    deadlines.set(("k", "B"), 32.0, (0, "k", "B", 0))
    inline.schedule(0, lambda: stack.happened.append("handler"))
    inline.received([(b"one", None), (b"two", None)], lambda data: b"")
    assert inline.turn() == 0.5
    clock.now = 0.5
    assert inline.turn() == 32.0
    assert stack.happened == [b"one", b"two", "handler", "A"]


def test_a_handler_that_makes_another_ready_has_the_next_turn_come_at_once() -> None:
    stack, clock = RecordingStack(), Clock()
    inline, _, _ = inline_with(stack, clock)
    inline.schedule(0, lambda: inline.schedule(0, lambda: stack.happened.append("second")))
    clock.now = 7.0
    assert inline.turn() == 7.0
    assert inline.turn() is None
    assert stack.happened == ["second"]


def test_only_another_thread_has_to_wake_the_reactor() -> None:
    inline, _, woken = inline_with(RecordingStack(), Clock())
    inline.turn()
    inline.woken(0)
    assert woken == []
    thread = threading.Thread(target=inline.woken, args=(0,))
    thread.start()
    thread.join()
    assert woken == ["woken"]


def test_a_call_goes_through_without_workers() -> None:
    server = DialogUsageManager(workers=0)
    client = DialogUsageManager(workers=0)

    @server.on(IncomingCall)
    def answer(call: Call) -> None:
        call.ring()
        call.answer(b"v=0\r\n")

    with server, client:
        call = client.call(f"sip:bob@127.0.0.1:{server.addresses[0].port}", offer=b"v=0\r\n")
        call.wait_established(20)
        call.end()
        assert call.wait_ended(20).status == 200

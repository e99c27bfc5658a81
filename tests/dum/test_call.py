"""The handle of a call: commands, waiting, and handlers one at a time and in order."""

import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from dum.call import Call
from dum.errors import Refused, Terminated
from dum.events import AnswerWanted, Ended, Established, Event
from dum.usage.session import Command
from tests.support.hands import all_at_once

PATIENCE = 20.0
KEY = "u1928301774 a84b4c76e66710"


class Commander:
    """Stands in for the manager: notes commands, and runs one handler for every event."""

    def __init__(self, handler: Callable[[Event], None] | None = None, raised: Exception | None = None) -> None:
        self.commands: list[tuple[str, int]] = []
        self.handler = handler
        self.raised = raised

    def command(self, key: str, command: Command) -> None:
        assert key == KEY
        self.commands.append((command.name, command.status))
        if self.raised is not None:
            raise self.raised

    def handle_event(self, call: Call, event: Event) -> None:
        assert self.handler is not None
        self.handler(event)

    def has_handler(self, kind: type) -> bool:
        return self.handler is not None


def nothing(run: Callable[[], None]) -> None:
    raise AssertionError("no handler is to be run")


def ended(call: Call, status: int = 200) -> Ended:
    return Ended(call, status, True, "bye")


def test_commands_are_those_of_the_figure() -> None:
    commander = Commander()
    call = Call(commander, KEY)
    call.ring()
    call.ring(183, b"v=0\r\n")
    call.answer(b"v=0\r\n")
    call.reject()
    call.end()
    expected = [("RING", 180), ("RING", 183), ("ANSWER", 200), ("REJECT", 486), ("END", 480)]
    assert commander.commands == expected


@pytest.mark.parametrize("status", [100, 200, 99, 0])
def test_ringing_has_a_status_from_101_to_199(status: int) -> None:
    with pytest.raises(ValueError, match="from 101 to 199"):
        Call(Commander(), KEY).ring(status)


@pytest.mark.parametrize("status", [200, 299, 700, 180])
def test_a_rejection_has_a_status_from_300_to_699(status: int) -> None:
    with pytest.raises(ValueError, match="from 300 to 699"):
        Call(Commander(), KEY).reject(status)


def test_a_call_may_be_ended_twice_but_not_answered_after_its_end() -> None:
    call = Call(Commander(raised=Terminated("this call has ended")), KEY)
    call.end()
    with pytest.raises(Terminated):
        call.answer()


def test_what_the_state_does_not_allow_is_raised() -> None:
    with pytest.raises(Refused):
        Call(Commander(raised=Refused("can't answer a call in state Mortal")), KEY).end()


def test_handles_of_one_call_are_equal() -> None:
    one, same, other = Call(Commander(), KEY), Call(Commander(), KEY), Call(Commander(), KEY + "1")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != KEY
    assert one.call_id == "a84b4c76e66710"


def test_what_a_handle_knows() -> None:
    call = Call(Commander(), KEY)
    assert "early" in repr(call)
    call.deliver(AnswerWanted(call, b"offer"), nothing)
    assert call.offer == b"offer"
    call.deliver(Established(call, b""), nothing)
    assert call.is_established
    assert call.remote_body == b"offer"
    assert "established" in repr(call)
    call.deliver(ended(call), nothing)
    assert not call.is_established
    assert call.ended == ended(call)
    assert "ended" in repr(call)


def waiting(call: Call, *tasks: Callable[[], object]) -> None:
    """Run tasks in threads of their own; the first one waits on the call before the others may begin."""

    def after_the_first(task: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            while not call._waiters:
                threading.Event().wait(0.001)
            task()

        return run

    all_at_once(tasks[0], *(after_the_first(task) for task in tasks[1:]))


def test_waiting_until_it_stands() -> None:
    call = Call(Commander(), KEY)
    waiting(call, lambda: call.wait_established(PATIENCE), lambda: call.deliver(Established(call, b"answer"), nothing))
    call.wait_established(0.0)
    assert not call._waiters


def test_waiting_for_a_call_that_ends_first() -> None:
    call = Call(Commander(), KEY)
    with pytest.raises(Terminated, match="486"):
        waiting(call, lambda: call.wait_established(PATIENCE), lambda: call.deliver(ended(call, 486), nothing))
    assert call.wait_ended(0.0).status == 486


def test_waiting_in_vain() -> None:
    call = Call(Commander(), KEY)
    with pytest.raises(TimeoutError, match="not established within"):
        call.wait_established(0.01)
    with pytest.raises(TimeoutError, match="not ended"):
        call.wait_ended(0.01)
    assert not call._waiters


def test_events_without_a_handler_are_kept_nowhere() -> None:
    call = Call(Commander(), KEY)
    call.deliver(ended(call), nothing)
    assert call._events is None


def test_handlers_run_in_order_and_are_scheduled_once() -> None:
    handled: list[Event] = []
    scheduled: list[Callable[[], None]] = []
    call = Call(Commander(handled.append), KEY)
    events = [Established(call, b"%d" % number) for number in range(5)]
    for event in events:
        call.deliver(event, scheduled.append)
    assert len(scheduled) == 1
    scheduled.pop()()
    assert handled == events
    call.deliver(ended(call), scheduled.append)
    assert len(scheduled) == 1


def test_what_happens_in_a_handler_is_handled_after_it() -> None:
    """Also when another thread delivers it: the handler that runs goes on alone, and takes it when it is done."""
    handled: list[str] = []
    scheduled: list[Callable[[], None]] = []

    def handler(event: Event) -> None:
        handled.append(f"{type(event).__name__} begins")
        if isinstance(event, Established):
            all_at_once(lambda: call.deliver(ended(call), scheduled.append))
        handled.append(f"{type(event).__name__} ends")

    call = Call(Commander(handler), KEY)
    call.deliver(Established(call, b""), scheduled.append)
    scheduled.pop()()
    assert scheduled == []
    assert handled == ["Established begins", "Established ends", "Ended begins", "Ended ends"]


def test_handlers_of_one_call_never_run_side_by_side() -> None:
    """Eight threads deliver to one call while the handlers run on whatever thread they were scheduled to."""
    inside = threading.Lock()
    handled: list[int] = []

    def handler(event: Event) -> None:
        assert isinstance(event, Established)
        assert inside.acquire(blocking=False), "two handlers of one call at once"
        handled.append(int(event.body))
        inside.release()

    call = Call(Commander(handler), KEY)

    def deliver(thread: int) -> None:
        for number in range(200):
            call.deliver(Established(call, b"%d" % (thread * 1000 + number)), lambda run: run())

    all_at_once(*(partial(deliver, thread) for thread in range(8)))
    assert len(handled) == 1600
    for thread in range(8):
        mine = [number for number in handled if number // 1000 == thread]
        assert mine == sorted(mine)


def test_what_happens_meanwhile_does_not_prolong_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout counts from the beginning: an event that is not the one waited for does not start it again."""
    call = Call(Commander(), KEY)
    clock = iter([0.0, 0.0])
    monkeypatch.setattr("dum.call.time", SimpleNamespace(monotonic=lambda: next(clock, PATIENCE + 1.0)))
    with pytest.raises(TimeoutError, match="not ended within"):
        waiting(call, lambda: call.wait_ended(PATIENCE), lambda: call.deliver(Established(call, b""), nothing))

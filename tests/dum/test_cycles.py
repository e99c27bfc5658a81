"""Calls leave no reference cycles: the collector stops the world, so nothing may need it (collector off, calls run)."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dum.call import Call
from dum.errors import Refused, Terminated
from dum.events import AnswerWanted, Established, Event, IncomingCall
from dum.usage.session import Command
from tests.support.wire import FAIR, ROUGH, Side, Weather, Wire, ticks

CALLS = 200
CALLER = "10.0.0.1"
CALLEE = "10.0.0.2"


class Application:
    """A manager's part between handles and a stack on the wire: real handles, with handlers or without."""

    def __init__(self, side: Side, handled: frozenset[type]) -> None:
        self.side = side
        self.handled = handled
        side.make_owner = lambda key: Call(self, key)
        side.told = lambda owner, event: self.told(owner, event)

    def told(self, call: Call, event: Event) -> None:
        """What the runner tells a manager; handlers run at once, but no command within the lane's drain."""
        call.deliver(event, lambda run: self.later(call, "handlers", run))

    def later(self, call: Call, label: str, run: Callable[[], None], delay: int = 1) -> None:
        self.side.at(delay, call.call_id, label, run)

    def command(self, key: str, command: Command) -> None:
        self.side.stack.command(key, command)

    def has_handler(self, kind: type) -> bool:
        return kind in self.handled

    def handle_event(self, call: Call, event: Event) -> None:
        match event:
            case IncomingCall(offer=offer) if self.handled is REFUSING:
                call.reject(486 if offer else 603)
                with pytest.raises(Terminated):
                    call.answer()
            case IncomingCall():
                call.ring()
                call.answer(b"v=0\r\n")
                with pytest.raises(Refused):
                    call.ring()
            case AnswerWanted():
                call.answer(b"v=0\r\n")
            case Established():
                self.later(call, "end", call.end, ticks(3.0))


ALL = frozenset({IncomingCall, AnswerWanted, Established})
REFUSING = frozenset({IncomingCall})
NONE: frozenset[type] = frozenset()


@contextmanager
def collector_off() -> Iterator[list[Any]]:
    """Nothing is collected inside; what could only have been collected is in the list afterwards."""
    found: list[Any] = []
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.collect()
        if was_on:
            gc.enable()


def run(calls: int, weather: Weather, callee: frozenset[type], *, hang_up: int, down: bool = False) -> Wire:
    wire = Wire(7, weather)
    caller = Application(wire.join(CALLER), ALL)
    Application(wire.join(CALLEE), callee)
    if down:
        caller.side.transport_down.add(CALLEE)
    placed: list[Call] = []

    def make_owner(key: str) -> Call:
        placed.append(Call(caller, key))
        return placed[-1]

    caller.side.make_owner = make_owner
    for number in range(calls):
        command = Command("CALL", body=b"v=0\r\n" if number % 2 else b"")
        caller.side.place(number // 50, f"sip:bob@{CALLEE}", number, command)
    wire.run(hang_up)
    for call in placed:
        call.end()
    placed.clear()
    wire.run()
    for side in wire.sides.values():
        if callee is not NONE:
            assert side.leftovers() == {}
    return wire


@pytest.mark.parametrize(
    ("weather", "callee", "hang_up", "down"),
    [
        pytest.param(FAIR, ALL, ticks(60.0), False, id="calls that are answered and ended"),
        pytest.param(ROUGH, ALL, ticks(60.0), False, id="in rough weather"),
        pytest.param(FAIR, NONE, ticks(2.0), False, id="no handler: cancelled by the caller"),
        pytest.param(FAIR, REFUSING, ticks(60.0), False, id="refused"),
        pytest.param(FAIR, ALL, ticks(60.0), True, id="not sent"),
        pytest.param(Weather(loss=1.0), ALL, ticks(60.0), False, id="not heard"),
    ],
)
def test_calls_leave_no_cycles(weather: Weather, callee: frozenset[type], hang_up: int, down: bool) -> None:
    run(2, weather, callee, hang_up=hang_up, down=down)
    with collector_off() as found:
        wire = run(CALLS, weather, callee, hang_up=hang_up, down=down)
    assert wire.now > 0
    assert [repr(thing)[:200] for thing in found] == []


def test_a_cycle_would_be_found() -> None:
    with collector_off() as found:
        cycle: list[Any] = []
        cycle.append(cycle)
        del cycle
    assert len(found) == 1

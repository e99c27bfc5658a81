"""A caller and a callee on one wire, and what must be true when all their calls are over."""

from collections.abc import Callable

from dum.events import Event
from dum.usage.session import Command
from tests.support.applications import Application, Party, answers, calls
from tests.support.order import check_order
from tests.support.wire import Side, Wire

type React = Callable[[Application, Party, Event], None]

CALLER = "10.0.0.1"
CALLEE = "10.0.0.2"

type Outcome = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


class Pair:
    """A caller and a callee on one wire."""

    def __init__(self, wire: Wire, caller: React = calls, callee: React = answers) -> None:
        self.wire = wire
        self.caller = Application(wire.join(CALLER), caller)
        self.callee = Application(wire.join(CALLEE), callee)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.caller.side, self.callee.side

    def place(self, number: int, *, burst: int = 50, apart: int = 5) -> None:
        """Have this many calls placed, so many at once, so many ticks apart; every second with an offer."""
        for call in range(number):
            command = Command("CALL", body=b"v=0\r\n" if call % 2 else b"")
            self.caller.side.place(call // burst * apart, f"sip:bob@{CALLEE}", call, command)

    def outcome(self) -> Outcome:
        """What each side of each call was told, by Call-ID."""
        callees: dict[str, tuple[str, ...]] = {}
        for party in self.callee.parties.values():
            if party.events:
                callees[party.call_id] = (*callees.get(party.call_id, ()), *party.history())
        return {
            party.call_id: (party.history(), callees.get(party.call_id, ())) for party in self.caller.parties.values()
        }

    def hang_up(self) -> None:
        """Have whoever still has a call end it: a peer that went away unheard leaves one that stands."""
        for application in (self.caller, self.callee):
            for party in application.parties.values():
                if party.events and not party.ends:
                    application.later(1, party, "END", 480)

    def check(self) -> None:
        """Nothing is left anywhere, every call has ended once, and all left in order."""
        for side in self.sides:
            assert side.leftovers() == {}
            assert check_order(sent for lane in side.sent.values() for sent in lane) > 0
        for party in self.told():
            assert len(party.ends) == 1, party.history()
            assert party.events[-1] is party.ends[0], party.history()
            assert party.established <= 1, party.history()
            assert party.history().count("AnswerWanted") <= 1, party.history()

    def told(self) -> list[Party]:
        """Every party that was told anything."""
        both = (*self.caller.parties.values(), *self.callee.parties.values())
        return [party for party in both if party.events]

"""Applications for stacks on a wire: they ring, answer and end calls at virtual times that follow from the call."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from dum.errors import Refused, Terminated
from dum.events import AnswerWanted, Ended, Established, Event, IncomingCall, Progress
from tests.support.wire import Side


class Party:
    """One side of one call: what it was told, in order, and what became of its commands."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.events: list[Event] = []
        self.commands: list[str] = []

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.key.partition(" ")[2]

    @property
    def ends(self) -> list[Ended]:
        """Every report of its end; there must be exactly one."""
        return [event for event in self.events if isinstance(event, Ended)]

    @property
    def established(self) -> int:
        """How often it was told that the call stands."""
        return sum(isinstance(event, Established) for event in self.events)

    def history(self) -> tuple[str, ...]:
        """Everything that happened, as short text."""
        return tuple(_short(event) for event in self.events) + tuple(self.commands)


def _short(event: Event) -> str:
    match event:
        case Ended(status=status, by_peer=by_peer, why=why):
            return f"Ended {status} {why} by {'peer' if by_peer else 'us'}"
        case Progress():
            return f"Progress {event.status}"
    return type(event).__name__


class Application:
    """Keeps the parties of one side, tells `react` of each event, and carries commands out at virtual times."""

    def __init__(self, side: Side, react: Callable[["Application", Party, Event], None]) -> None:
        self.side = side
        self.react = react
        self.parties: dict[str, Party] = {}
        side.make_owner = self.party
        side.told = self.told

    def party(self, key: str) -> Party:
        """The one handle for a key: the copies of an INVITE ask for it more than once."""
        return self.parties.setdefault(key, Party(key))

    def told(self, owner: Any, event: Event) -> None:
        """Note an event, which comes in commit order, and react to it."""
        owner.events.append(event)
        self.react(self, owner, event)

    def later(self, delay: int, party: Party, name: str, status: int = 0, body: bytes = b"") -> None:
        """Do `name` after `delay` ticks; that the call has ended by then, or does not allow it, is noted."""

        def run() -> None:
            party.commands.append(f"{name}: {self.attempt(party, name, status, body)}")

        self.side.at(delay, party.call_id, f"{name} {party.key}", run)

    def attempt(self, party: Party, name: str, status: int = 0, body: bytes = b"") -> str:
        """Do `name` now and return what came of it."""
        try:
            self.side.command(party.key, name, status, body)
        except Terminated:
            return "Terminated"
        except Refused:
            return "Refused"
        return "done"


def chance(call_id: str, purpose: str, bound: int) -> int:
    """A number below `bound` that is always the same for this call and purpose."""
    digest = blake2b(f"{purpose} {call_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % bound


def answers(application: Application, party: Party, event: Event) -> None:
    """A callee that rings, then answers; ends every other call after a hold."""
    match event:
        case IncomingCall():
            application.later(1, party, "RING", 180)
            application.later(10 + chance(party.call_id, "answer", 40), party, "ANSWER", 200, b"v=0\r\n")
        case Established() if chance(party.call_id, "ender", 2):
            application.later(100 + chance(party.call_id, "hold", 200), party, "END", 480)


def calls(application: Application, party: Party, event: Event) -> None:
    """A caller that answers a late offer and ends the calls that `answers` does not end."""
    match event:
        case AnswerWanted():
            application.later(2, party, "ANSWER", 200, b"v=0\r\n")
        case Established() if not chance(party.call_id, "ender", 2):
            application.later(100 + chance(party.call_id, "hold", 200), party, "END", 480)

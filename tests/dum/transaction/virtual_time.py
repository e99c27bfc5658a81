"""One SIP transaction on virtual time: its effects are carried out into lists, its timers fire when told to."""

from types import ModuleType
from typing import Any

from dum.effects import Effect, Send, StartTimer, StopTimer, ToUser
from dum.fsm import Figure
from dum.message import Request, Response, parse
from dum.timers import RFC3261, Timing

TERMINATED = "Terminated"
KEY = "key"
OWNER = "owner"
THERE = "there"


def described(effects: list[Effect]) -> list[str]:
    """Effects as short text: "start A 0.5", "stop B", "send INVITE", "TU RESPONSE"."""
    return [_described(effect) for effect in effects]


def _described(effect: Effect) -> str:
    match effect:
        case StartTimer():
            return f"start {effect.letter} {effect.delay:g}"
        case StopTimer():
            return f"stop {effect.letter}"
        case Send():
            return f"send {effect.data.split()[0].decode()}"
        case ToUser():
            return f"TU {effect.event}"
    raise AssertionError(f"a transaction does not ask for {effect!r}")


class VirtualTime:
    """Runs a machine of dum.transaction: `machine` is its module, `figure` its figure.

    `sent` and `told` are what left it, with the time of each; `log` the states it went through. `check` holds what
    is true of every transaction after every step.
    """

    def __init__(self, machine: ModuleType, figure: Figure, timing: Timing = RFC3261) -> None:
        self.machine: Any = machine
        self.figure = figure
        self.timing = timing
        self.now = 0.0
        self.timers: dict[str, tuple[float, int]] = {}
        self.sent: list[tuple[float, bytes]] = []
        self.told: list[tuple[float, str]] = []
        self.log: list[tuple[float, str]] = []
        self.record: Any = None

    def start(self, *arguments: Any) -> Any:
        """Start the machine with `arguments`, then what every machine needs; return the record."""
        effects: list[Effect] = []
        return self._after(self.machine.start(*arguments, self.timing, effects), effects)

    def step(self, name: str, *arguments: Any) -> Any:
        """Call the machine's function `name` on the record; return the record after it."""
        effects: list[Effect] = []
        before = snapshot(self.record)
        after = getattr(self.machine, name)(self.record, *arguments, self.timing, effects)
        assert snapshot(self.record) == before, "the step changed the record that it was given"
        return self._after(after, effects)

    def run(self, until: float = float("inf")) -> None:
        """Let time pass: fire every timer that is due by `until`, in order, and stop there."""
        while self.timers:
            letter, (due, generation) = min(self.timers.items(), key=lambda timer: timer[1])
            if due > until:
                break
            self.now = due
            del self.timers[letter]
            self.step("fire", letter, generation)
        if until < float("inf"):
            self.now = until

    def _after(self, record: Any, effects: list[Effect]) -> Any:
        self.record = record
        if not self.log or self.log[-1][1] != record.state:
            self.log.append((self.now, record.state))
        for effect in effects:
            if isinstance(effect, StartTimer):
                assert effect.key == record.key
                assert effect.delay > 0
                self.timers[effect.letter] = (self.now + effect.delay, effect.generation)
            elif isinstance(effect, StopTimer):
                assert effect.key == record.key
                self.timers.pop(effect.letter, None)
            elif isinstance(effect, Send):
                assert effect.destination == THERE
                assert effect.key == record.key
                self.sent.append((self.now, effect.data))
            else:
                assert isinstance(effect, ToUser)
                self.told.append((self.now, effect.event))
        self.check()
        return record

    def check(self) -> None:
        """No timer lives in a state that is not its own, none outlives the transaction, and it always ends."""
        alive = set(self.figure.timers.get(self.record.state, ""))
        assert set(self.timers) <= alive, f"{sorted(self.timers)} in {self.record.state}"
        assert self.record.key == KEY
        assert self.record.owner == OWNER


def snapshot(record: Any) -> tuple[Any, ...]:
    """Every field of a record."""
    return tuple(getattr(record, name) for name in type(record).__slots__)


def request(method: str, body: bytes = b"", *, to_tag: str = "", branch: str = "z9hG4bK776asdhds") -> bytes:
    """An encoded request of `method`, with a Route and two compact header names."""
    tag = f";tag={to_tag}" if to_tag else ""
    return (
        f"{method} sip:bob@biloxi.example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP pc33.atlanta.example.com;branch={branch}\r\n"
        "Max-Forwards: 70\r\n"
        "Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n"
        f"t: Bob <sip:bob@biloxi.example.com>{tag}\r\n"
        "f: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\n"
        "Call-ID: a84b4c76e66710\r\n"
        f"CSeq: 314159 {method}\r\n"
        "Contact: <sip:alice@pc33.atlanta.example.com>\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def parsed_request(data: bytes) -> Request:
    """A request as the parser reads it."""
    message = parse(data)
    assert isinstance(message, Request), message
    return message


def response(status: int, method: str = "INVITE", *, to_tag: str = "a6c85cf") -> Response:
    """A response to `request(method)`."""
    message = parse(
        f"SIP/2.0 {status} Reason\r\n"
        "Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds\r\n"
        f"To: Bob <sip:bob@biloxi.example.com>;tag={to_tag}\r\n"
        "From: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\n"
        "Call-ID: a84b4c76e66710\r\n"
        f"CSeq: 314159 {method}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(message, Response), message
    return message

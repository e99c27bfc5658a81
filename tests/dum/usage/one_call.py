"""One INVITE usage without a stack: its effects are carried out into lists, its timers fire when told to."""

from typing import Any, Self

from dum.effects import Effect, Forget, Hop, Send, StartTimer, StopTimer, Tell, ToClient, ToServer
from dum.events import Ended
from dum.ids import Fresh
from dum.message import Request, Response, parse
from dum.profile import Local, Profile
from dum.timers import RFC3261, Timing
from dum.usage import callee, caller, invite
from dum.usage.session import Agent, Command, Given, InviteUsage

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = b"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
CALL_ID = "a84b4c76e66710"
PEER_TAG = "peer"
PEER_CONTACT = "<sip:bob@192.0.2.2>"
THERE = Hop("UDP", "192.0.2.2", 5060)
LOCAL = Local({"UDP": "192.0.2.1:5060", "TCP": "192.0.2.1:5060", "UDP6": "[2001:db8::1]:5060"})
OWNER = "owner"

type Fields = list[tuple[str, str]]


def snapshot(usage: InviteUsage) -> tuple[Any, ...]:
    """Every field of a usage."""
    return tuple(getattr(usage, name) for name in InviteUsage.__slots__)


def described(effects: list[Effect]) -> list[str]:
    """Effects as short text: "client BYE", "server 200", "send ACK", "start C 180", "stop C", "tell Ended 200 bye"."""
    return [_described(effect) for effect in effects]


def _described(effect: Effect) -> str:
    match effect:
        case ToClient():
            return f"client {effect.method}" + ("" if effect.heard else " unheard")
        case ToServer():
            return f"server {effect.status}"
        case Send():
            return f"send {effect.data.split()[0 if effect.data[:3] != b'SIP' else 1].decode()}"
        case StartTimer():
            return f"start {effect.letter} {effect.delay:g}"
        case StopTimer():
            return f"stop {effect.letter}"
        case Forget():
            return "forget INVITE"
        case Tell(event=Ended() as ended):
            return f"tell Ended {ended.status} {ended.why}" + (" by peer" if ended.by_peer else "")
        case Tell():
            return f"tell {type(effect.event).__name__}"
    raise AssertionError(f"a usage does not ask for {effect!r}")


class OneCall:
    """A usage of either role. What must hold after every step is held here, by `_step`."""

    usage: InviteUsage

    def __init__(self, *, answers_offers: bool = True, timing: Timing = RFC3261) -> None:
        self.agent = Agent(Profile(from_uri="sip:alice@atlanta.example.com"), LOCAL, answers_offers=answers_offers)
        self.timing = timing
        self.steps = 0
        self.effects: list[Effect] = []
        self.timers: dict[str, tuple[float, int]] = {}
        self.clients: list[ToClient] = []
        self.told: list[Any] = []
        self.waiting: set[str] = set()  # server transactions without a final response
        self.peer_seq = 100
        self.invite: Request | None = None

    @classmethod
    def placed(cls, body: bytes = OFFER, target: str = "sip:bob@192.0.2.2", **options: Any) -> Self:
        """A caller that has just sent its INVITE."""
        call = cls(**options)
        call.effects = []
        given = call.given(command=Command("CALL", body=body))
        call.usage = caller.start(OWNER, CALL_ID, target, given, call.timing, call.effects)
        call._carry_out()
        call.invite = parsed_request(call.clients[0].data)
        return call

    @classmethod
    def received(cls, body: bytes = OFFER, fields: Fields | None = None, **options: Any) -> Self:
        """A callee that has just received an INVITE."""
        call = cls(**options)
        call.invite = call.request_of_peer("INVITE", body, fields)
        call.effects = []
        call.waiting.add("sINVITE 101")
        call.usage = callee.start(OWNER, call.given(call.invite, server_key="sINVITE 101"), call.effects)
        call._carry_out()
        return call

    def given(self, message: Any = None, *, command: Command | None = None, server_key: str = "") -> Given:
        """What comes with an event, with identifiers that differ for each step."""
        self.steps += 1
        fresh = Fresh(f"{self.steps:04x}a6c85cf", f"z9hG4bK{self.steps}", 1000 * self.steps)
        return Given(self.agent, fresh, message, command=command, server_key=server_key, source=THERE)

    @property
    def state(self) -> str:
        return self.usage.state

    @property
    def texts(self) -> list[str]:
        """What the last step asked for."""
        return described(self.effects)

    @property
    def ends(self) -> list[Ended]:
        return [event for event in self.told if isinstance(event, Ended)]

    def sent(self, method: str) -> Request:
        """The last request of this method that the last step sent."""
        data = [e.data for e in self.effects if isinstance(e, Send | ToClient) and e.data.startswith(method.encode())]
        return parsed_request(data[-1])

    def answered(self) -> Response:
        """The last response that the last step sent."""
        return parsed_response([effect.data for effect in self.effects if isinstance(effect, ToServer)][-1])

    # Events.

    def response_of_peer(
        self,
        status: int,
        tag: str = PEER_TAG,
        body: bytes = b"",
        contact: str = PEER_CONTACT,
        fields: Fields | None = None,
    ) -> Response:
        """A response to our INVITE; `contact` and `tag` may be left out with ""."""
        assert self.invite is not None
        more = [("Contact", contact)] if contact else []
        return parsed_response(
            self.invite.respond(status, to_tag=tag, fields=[*more, *(fields or [])], body=body).encode()
        )

    def response(
        self,
        status: int,
        tag: str = PEER_TAG,
        body: bytes = b"",
        contact: str = PEER_CONTACT,
        fields: Fields | None = None,
    ) -> Self:
        """Take a response to our INVITE."""
        message = self.response_of_peer(status, tag, body, contact, fields)
        return self._step(
            lambda given, effects: invite.response(self.usage, "INVITE", given, self.timing, effects), message
        )

    def bye_answered(self, status: int = 200) -> Self:
        """A response to our last BYE that is listened for."""
        bye = [client for client in self.clients if client.method == "BYE" and client.heard][-1]
        message = parsed_request(bye.data).respond(status)
        return self._step(
            lambda given, effects: invite.response(self.usage, "BYE", given, self.timing, effects), message
        )

    def unanswered(self, method: str, status: int = 408, reason: str = "no answer") -> Self:
        """No response came to our request, or it could not be sent."""
        command = Command("TIMEOUT", status, reason)
        return self._step(
            lambda given, effects: invite.response(self.usage, method, given, self.timing, effects), command=command
        )

    def request_of_peer(
        self, method: str, body: bytes = b"", fields: Fields | None = None, tag: str = PEER_TAG, seq: int = 0
    ) -> Request:
        """A request of the peer's, in the dialog if there is one."""
        if not seq:
            self.peer_seq += 1
            seq = self.peer_seq
        to = "<sip:alice@atlanta.example.com>"
        if hasattr(self, "usage"):
            to += f";tag={self.usage.key[1:].partition(' ')[0]}"
        lines = [
            ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKp{seq}{method}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:bob@192.0.2.2>;tag={tag}"),
            ("To", to),
            ("Call-ID", CALL_ID),
            ("CSeq", f"{seq} {method}"),
        ]
        if not any(name == "Contact" for name, _ in fields or []):
            lines.append(("Contact", PEER_CONTACT))
        if body:
            lines.append(("Content-Type", "application/sdp"))
        return Request.build(method, "sip:alice@192.0.2.1", lines + (fields or []), body)

    def request(
        self, method: str, body: bytes = b"", fields: Fields | None = None, tag: str = PEER_TAG, seq: int = 0
    ) -> Self:
        """A request within the dialog, other than ACK and CANCEL."""
        message = self.request_of_peer(method, body, fields, tag, seq)
        key = f"s{method} {message.cseq}"
        self.waiting.add(key)
        return self._step(
            lambda given, effects: invite.request(self.usage, given, self.timing, effects), message, server_key=key
        )

    def ack(self, seq: int = 101, body: bytes = b"", tag: str = PEER_TAG) -> Self:
        """An ACK for a 2xx of ours."""
        message = self.request_of_peer("ACK", body, None, tag, seq)
        return self._step(lambda given, effects: invite.ack(self.usage, given, self.timing, effects), message)

    def cancel(self) -> Self:
        """A CANCEL of the peer's, as it reaches the usage: its INVITE has no final response yet."""
        return self._step(lambda given, effects: invite.cancel(self.usage, given, self.timing, effects))

    def unreachable(self, key: str = "sINVITE 101") -> Self:
        """A response to the INVITE could not be sent; its server transaction still waits for a final one."""
        return self._step(lambda given, effects: invite.unreachable(self.usage, key, given, self.timing, effects))

    def fire(self, letter: str, generation: int | None = None) -> Self:
        """A timer that is due, or with `generation` one that was overtaken."""
        if generation is None:
            generation = self.timers.pop(letter)[1]
        due = generation
        return self._step(lambda given, effects: invite.fire(self.usage, letter, due, given, self.timing, effects))

    def command(self, name: str, status: int = 0, body: bytes = b"", fields: tuple[tuple[str, str], ...] = ()) -> Self:
        """What the application asks; raises Refused as the usage does."""
        command = Command(name, status, None, body, fields)
        return self._step(
            lambda given, effects: invite.command(self.usage, given, self.timing, effects), command=command
        )

    def advance(self, event: str, message: Any = None, command: Command | None = None) -> Self:
        """One arc of the figure, whatever way leads to it."""
        step = caller.advance if self.usage.role == "caller" else callee.advance
        key = ""
        if isinstance(message, Request) and message.method != "ACK":
            key = f"s{message.method} {message.cseq}"
            self.waiting.add(key)
        return self._step(
            lambda given, effects: step(self.usage, event, given, self.timing, effects),
            message,
            command=command,
            server_key=key,
        )

    # After each.

    def _step(self, step: Any, message: Any = None, *, command: Command | None = None, server_key: str = "") -> Self:
        effects: list[Effect] = []
        before, fields = self.usage, snapshot(self.usage)
        after = step(self.given(message, command=command, server_key=server_key), effects)
        assert snapshot(before) == fields, "the step changed the record that it was given"
        if after is before:
            assert all(isinstance(effect, ToServer) for effect in effects), effects
        self.usage, self.effects = after, effects
        self._carry_out()
        return self

    def _carry_out(self) -> None:
        for effect in self.effects:
            match effect:
                case StartTimer():
                    assert effect.key == self.usage.key
                    assert effect.delay > 0
                    self.timers[effect.letter] = (effect.delay, effect.generation)
                case StopTimer():
                    assert effect.key == self.usage.key
                    self.timers.pop(effect.letter, None)
                case ToClient():
                    self.clients.append(effect)
                case ToServer() if effect.status >= 200:
                    self.waiting.remove(effect.key)  # KeyError: answered twice, or never received
                case Tell():
                    assert effect.owner == OWNER
                    self.told.append(effect.event)
        assert len({client.branch + client.method for client in self.clients}) == len(self.clients)
        assert (self.state == "Morgue") == bool(self.ends), "the end is told when the usage is over"
        assert len(self.ends) <= 1
        if self.state == "Morgue":
            assert not self.timers, "no timer outlives the usage"
            assert not self.waiting, "every request has its final response"
            assert isinstance(self.told[-1], Ended)


def parsed_request(data: bytes) -> Request:
    """A request as the parser reads it."""
    message = parse(data)
    assert isinstance(message, Request), message
    assert message.check() is None
    return message


def parsed_response(data: bytes) -> Response:
    """A response as the parser reads it."""
    message = parse(data)
    assert isinstance(message, Response), message
    return message

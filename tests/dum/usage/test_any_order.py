"""Hypothesis state machines over the usage: anything that can happen, in any order, for caller and for callee.

`OneCall` holds after every step what must always be true: the record that went in is untouched, one end is told and
nothing after it, no timer and no unanswered request outlives the usage. Here every history is also led to its end.
"""

from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dum.errors import Refused
from dum.usage import invite
from tests.dum.usage.one_call import OFFER, OneCall

SETTINGS = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TAGS = st.sampled_from(["peer", "fork", "other"])
BODIES = st.sampled_from([b"", OFFER])
CONTACTS = st.sampled_from(["<sip:bob@192.0.2.2>", "<sip:carol@192.0.2.3;transport=tcp>", "", "<<>", "<tel:+1>"])
LETTERS = st.sampled_from(["C", "CANCELLED", "2XX", "NO_ACK"])


def going_on(machine: "AnyOrder") -> bool:
    """Whether the usage has not ended."""
    return machine.call.state != "Morgue"


def over(machine: "AnyOrder") -> bool:
    """Whether it has."""
    return not going_on(machine)


class AnyOrder(RuleBasedStateMachine):
    """What both sides may meet."""

    call: OneCall

    @precondition(going_on)
    @rule(name=st.sampled_from(["RING", "ANSWER", "REJECT", "END"]), body=BODIES)
    def command(self, name: str, body: bytes) -> None:
        with suppress(Refused):
            self.call.command(name, {"RING": 180, "REJECT": 488}.get(name, 200), body)

    @precondition(going_on)
    @rule(
        method=st.sampled_from(["BYE", "INVITE", "INVITE", "OPTIONS", "INFO"]),
        tag=TAGS,
        body=BODIES,
        contact=CONTACTS,
        seq=st.sampled_from([0, 0, 0, 0, 1]),
    )
    def request(self, method: str, tag: str, body: bytes, contact: str, seq: int) -> None:
        self.call.request(method, body, [("Contact", contact)], tag, seq)

    @precondition(going_on)
    @rule(behind=st.integers(0, 3), tag=TAGS, body=BODIES)
    def ack(self, behind: int, tag: str, body: bytes) -> None:
        self.call.ack(self.call.peer_seq - behind, body, tag)

    @precondition(going_on)
    @rule()
    def ack_of_what_waits(self) -> None:
        if self.call.usage.received is not None:
            self.call.ack(self.call.usage.received.seq)

    @precondition(going_on)
    @rule()
    def cancel(self) -> None:
        self.call.cancel()

    @precondition(going_on)
    @rule()
    def unreachable(self) -> None:
        received = self.call.usage.received
        self.call.unreachable(received.key if received is not None else "sINVITE 0")

    @precondition(going_on)
    @rule(data=st.data())
    def due_timer(self, data: st.DataObject) -> None:
        if self.call.timers:
            self.call.fire(data.draw(st.sampled_from(sorted(self.call.timers))))

    @precondition(going_on)
    @rule(letter=LETTERS, generation=st.integers(-1, 300))
    def stale_timer(self, letter: str, generation: int) -> None:
        """One that was stopped or replaced while it fired."""
        if not self._stands(letter, generation):
            before = self.call.usage
            assert self.call.fire(letter, generation).usage is before

    def _stands(self, letter: str, generation: int) -> bool:
        """Whether the generation is that of what waits: its timer runs, or has just fired."""
        sent, received = self.call.usage.sent, self.call.usage.received
        if letter in ("C", "CANCELLED"):
            return sent is not None and generation == (sent.provisionals if letter == "C" else sent.seq)
        return received is not None and generation in (received.seq, received.retransmissions)

    @precondition(going_on)
    @rule(status=st.sampled_from([100, 200, 408, 481, 500]))
    def bye_answered(self, status: int) -> None:
        if any(client.method == "BYE" and client.heard for client in self.call.clients):
            self.call.bye_answered(status)

    @precondition(going_on)
    @rule()
    def invite_transaction_ends(self) -> None:
        if self.call.state in ("Established", "Mortal"):
            self.call.usage = invite.invite_transaction_ended(self.call.usage)

    def teardown(self) -> None:
        """Left to its timers, and ended by the application, it ends."""
        if hasattr(self, "call"):
            self._wound_up()
            assert self.call.state == "Morgue"
            assert len(self.call.ends) == 1

    def _wound_up(self) -> None:
        for _ in range(20):
            if not going_on(self):
                return
            self.call.command("END", 480)
            if going_on(self) and self.call.timers:
                self.call.fire(sorted(self.call.timers, key=lambda letter: letter != "NO_ACK")[0])
            if self.call.state == "Mortal":
                self.call.unanswered("BYE")
            elif self.call.state in ("Preparative", "Early") and self.call.usage.sent is not None:
                self.call.response(100, tag="")


class Caller(AnyOrder):
    """The side that placed the call."""

    @initialize(body=BODIES)
    def place(self, body: bytes) -> None:
        self.call = OneCall.placed(body)

    @precondition(over)
    @rule(body=BODIES)
    def place_another(self, body: bytes) -> None:
        self.call = OneCall.placed(body)

    @precondition(going_on)
    @rule(
        status=st.sampled_from([100, 180, 183, 200, 200, 202, 302, 486, 487, 603]),
        tag=TAGS,
        body=BODIES,
        contact=CONTACTS,
    )
    def response(self, status: int, tag: str, body: bytes, contact: str) -> None:
        self.call.response(status, tag if status > 100 else "", body, contact)

    @precondition(going_on)
    @rule()
    def unanswered(self) -> None:
        if self.call.state == "Preparative":
            self.call.unanswered("INVITE")


class Callee(AnyOrder):
    """The side that was called."""

    @initialize(body=BODIES, contact=CONTACTS, answers_offers=st.booleans())
    def receive(self, body: bytes, contact: str, answers_offers: bool) -> None:
        self._receive(body, contact, answers_offers)

    @precondition(over)
    @rule(body=BODIES, contact=CONTACTS, answers_offers=st.booleans())
    def receive_another(self, body: bytes, contact: str, answers_offers: bool) -> None:
        self._receive(body, contact, answers_offers)

    def _receive(self, body: bytes, contact: str, answers_offers: bool) -> None:
        contact = "" if contact == "<<>" else contact  # refused before there is a usage
        self.call = OneCall.received(body, [("Contact", contact)] if contact else None, answers_offers=answers_offers)


TestCallerInAnyOrder = Caller.TestCase
TestCallerInAnyOrder.settings = SETTINGS
TestCalleeInAnyOrder = Callee.TestCase
TestCalleeInAnyOrder.settings = SETTINGS

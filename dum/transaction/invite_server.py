"""INVITE server transaction: RFC 6026 figure 7 (RFC 3261 section 17.2.1 with the state Accepted)."""

from typing import Any

from dum.effects import Effect, Send, StartTimer
from dum.fsm import TIMER, Figure
from dum.message import Request
from dum.timers import Timing
from dum.transaction.inform import ack_to_tu, error_to_tu, timeout_to_tu
from dum.transaction.matching import acknowledges
from dum.transaction.words import (
    ACCEPTED,
    ACK,
    COMPLETED,
    CONFIRMED,
    INVITE,
    PROCEEDING,
    TERMINATED,
    TIMER_G,
    TIMER_H,
    TIMER_I,
    TIMER_L,
    TRANSPORT_ERROR,
    TU_1XX,
    TU_2XX,
    TU_3XX_6XX,
)


class InviteServer:
    """The record of an INVITE server transaction, immutable by convention.

    `response` is the last response in Proceeding (b"" before there is one) and Completed, encoded; Accepted and
    Confirmed keep none. `retransmissions` counts timer G and is its generation.
    """

    __slots__ = ("destination", "key", "owner", "reliable", "response", "retransmissions", "state")

    def __init__(
        self,
        key: str,
        state: str,
        owner: Any,
        destination: Any,
        reliable: bool,
        response: bytes = b"",
        retransmissions: int = 0,
    ) -> None:
        self.key = key
        self.state = state
        self.owner = owner
        self.destination = destination
        self.reliable = reliable
        self.response = response
        self.retransmissions = retransmissions

    def copy(self) -> "InviteServer":
        """Return a new record with the same fields."""
        return InviteServer(
            self.key,
            self.state,
            self.owner,
            self.destination,
            self.reliable,
            self.response,
            self.retransmissions,
        )


def send_response(record: InviteServer, given: bytes, timing: Timing, effects: list[Effect]) -> None:
    """Send the response of the transaction user, and keep it for a retransmitted INVITE or timer G."""
    record.response = given
    effects.append(Send(record.destination, given, record.key))


def send_2xx(record: InviteServer, given: bytes, timing: Timing, effects: list[Effect]) -> None:
    """Send a 2xx without keeping it: the transaction user retransmits it until the ACK (13.3.1.4)."""
    record.response = b""
    effects.append(Send(record.destination, given, record.key))


def send_again(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Send the last response again, if there was one."""
    if record.response:
        effects.append(Send(record.destination, record.response, record.key))


def start_g(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer G at T1, unless the transport is reliable."""
    if not record.reliable:
        effects.append(StartTimer(record.key, "G", timing.t1))


def start_h(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer H."""
    effects.append(StartTimer(record.key, "H", timing.timer_h))


def start_l(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer L."""
    effects.append(StartTimer(record.key, "L", timing.timer_l))


def reset_g(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer G again with twice the interval, T2 at most."""
    record.retransmissions += 1
    effects.append(StartTimer(record.key, "G", timing.doubled_to_t2(record.retransmissions), record.retransmissions))


def start_i(record: InviteServer, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Drop the response and start timer I, which is 0 on a reliable transport: `receive` fires it at once."""
    record.response = b""
    record.destination = None
    if not record.reliable:
        effects.append(StartTimer(record.key, "I", timing.timer_i))


FIGURE_7 = Figure(
    "RFC 6026 Figure 7",
    [
        (PROCEEDING, TU_1XX, PROCEEDING, (send_response,)),
        (PROCEEDING, TU_2XX, ACCEPTED, (start_l, send_2xx)),
        (PROCEEDING, TU_3XX_6XX, COMPLETED, (start_g, start_h, send_response)),
        (PROCEEDING, INVITE, PROCEEDING, (send_again,)),
        (PROCEEDING, TRANSPORT_ERROR, PROCEEDING, (error_to_tu,)),
        (ACCEPTED, ACK, ACCEPTED, (ack_to_tu,)),
        (ACCEPTED, TIMER_L, TERMINATED, ()),
        (ACCEPTED, TU_2XX, ACCEPTED, (send_2xx,)),
        (ACCEPTED, INVITE, ACCEPTED, ()),
        (ACCEPTED, TRANSPORT_ERROR, ACCEPTED, (error_to_tu,)),
        (COMPLETED, ACK, CONFIRMED, (start_i,)),
        (COMPLETED, TIMER_G, COMPLETED, (reset_g, send_again)),
        (COMPLETED, INVITE, COMPLETED, (send_again,)),
        # The drawing has "-" under timer H; the text of 17.2.1 says that a failure is indicated to the TU.
        (COMPLETED, TIMER_H, TERMINATED, (timeout_to_tu,)),
        (COMPLETED, TRANSPORT_ERROR, COMPLETED, (error_to_tu,)),
        (CONFIRMED, TIMER_I, TERMINATED, ()),
    ],
    initial=PROCEEDING,
    final=TERMINATED,
    timers={COMPLETED: "GH", CONFIRMED: "I", ACCEPTED: "L"},
    ignores={
        # Timers that do not live in the state: they fired while they were being stopped. An ACK before any final
        # response acknowledges nothing.
        PROCEEDING: (ACK, TIMER_G, TIMER_H, TIMER_I, TIMER_L),
        # One final response has been sent and stands; only a 2xx is sent again by the transaction user.
        ACCEPTED: (TU_1XX, TU_3XX_6XX, TIMER_G, TIMER_H, TIMER_I),
        COMPLETED: (TU_1XX, TU_2XX, TU_3XX_6XX, TIMER_I, TIMER_L),
        # Confirmed is there to absorb repeated ACKs; an INVITE that arrives after its ACK was overtaken on the way.
        CONFIRMED: (ACK, INVITE, TU_1XX, TU_2XX, TU_3XX_6XX, TIMER_G, TIMER_H, TIMER_L, TRANSPORT_ERROR),
    },
)

advance = FIGURE_7.advance


def start(
    key: str, destination: Any, reliable: bool, owner: Any, timing: Timing, effects: list[Effect]
) -> InviteServer:
    """Return the record of a new transaction in Proceeding, for an INVITE that matched none.

    `key` is `matching.server_key` of the INVITE, which is not kept: the caller passes it to the transaction user.
    `destination` is where the responses go (18.2.2). A 100 is due within 200 ms unless the transaction user answers
    by then: `trying`.
    `timing` and `effects` are there because every machine is given them: nothing is sent or timed yet.
    """
    return InviteServer(key, PROCEEDING, owner, destination, reliable)


def trying(record: InviteServer, data: bytes, timing: Timing, effects: list[Effect]) -> InviteServer:
    """Return the record after the 100 Trying `data` (encoded), which is sent only when there is no response yet."""
    if record.response or record.state != PROCEEDING:
        return record
    return advance(record, TU_1XX, data, timing, effects)


def respond(record: InviteServer, status: int, data: bytes, timing: Timing, effects: list[Effect]) -> InviteServer:
    """Return the record after the transaction user's response `data` (encoded) of `status`.

    A final response after the first is ignored, except that a 2xx may be sent again in Accepted.
    """
    event = TU_1XX if status < 200 else TU_2XX if status < 300 else TU_3XX_6XX
    return advance(record, event, data, timing, effects)


def receive(record: InviteServer, request: Request, timing: Timing, effects: list[Effect]) -> InviteServer:
    """Return the record after `request`, an INVITE or ACK that matched this transaction (17.2.3)."""
    if request.method != ACK:
        return advance(record, INVITE, request, timing, effects)
    if record.state == COMPLETED and not acknowledges(request, record.key, record.response):
        return record
    after = advance(record, ACK, request, timing, effects)
    if after.reliable and after.state == CONFIRMED:
        return advance(after, TIMER_I, None, timing, effects)
    return after


def fire(record: InviteServer, letter: str, generation: int, timing: Timing, effects: list[Effect]) -> InviteServer:
    """Return the record after timer `letter`; the same record when the timer is stale or not alive in this state."""
    if letter == "G" and generation != record.retransmissions:
        return record
    return advance(record, TIMER + letter, None, timing, effects)


def transport_error(record: InviteServer, timing: Timing, effects: list[Effect]) -> InviteServer:
    """Return the record after the transport failed to send what this transaction gave it."""
    return advance(record, TRANSPORT_ERROR, None, timing, effects)

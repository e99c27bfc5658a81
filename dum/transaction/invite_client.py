"""INVITE client transaction: RFC 6026 figure 5 (RFC 3261 section 17.1.1 with the state Accepted)."""

from typing import Any

from dum.effects import Effect, Send, StartTimer
from dum.fsm import TIMER, Figure
from dum.message import Response
from dum.timers import Timing
from dum.transaction.ack import acknowledgement
from dum.transaction.companion import without_body
from dum.transaction.inform import error_to_tu, resp_to_tu, timeout_to_tu
from dum.transaction.words import (
    ACCEPTED,
    CALLING,
    COMPLETED,
    PROCEEDING,
    R1XX,
    R2XX,
    R3XX_6XX,
    TERMINATED,
    TIMER_A,
    TIMER_B,
    TIMER_D,
    TIMER_M,
    TRANSPORT_ERROR,
)


class InviteClient:
    """The record of an INVITE client transaction, immutable by convention.

    `request` is the INVITE in Calling and its header in Proceeding (for the ACK and a CANCEL), `ack` the ACK in
    Completed; every other state keeps neither. `retransmissions` counts timer A and is its generation.
    """

    __slots__ = ("ack", "destination", "key", "owner", "reliable", "request", "retransmissions", "state")

    def __init__(
        self,
        key: str,
        state: str,
        owner: Any,
        destination: Any,
        reliable: bool,
        request: bytes,
        ack: bytes = b"",
        retransmissions: int = 0,
    ) -> None:
        self.key = key
        self.state = state
        self.owner = owner
        self.destination = destination
        self.reliable = reliable
        self.request = request
        self.ack = ack
        self.retransmissions = retransmissions

    def copy(self) -> "InviteClient":
        """Return a new record with the same fields."""
        return InviteClient(
            self.key,
            self.state,
            self.owner,
            self.destination,
            self.reliable,
            self.request,
            self.ack,
            self.retransmissions,
        )


def invite_sent(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Send the INVITE, or send it again."""
    effects.append(Send(record.destination, record.request, record.key))


def start_a(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer A at T1, unless the transport is reliable."""
    if not record.reliable:
        effects.append(StartTimer(record.key, "A", timing.t1))


def start_b(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer B."""
    effects.append(StartTimer(record.key, "B", timing.timer_b))


def reset_a(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer A again with twice the interval."""
    record.retransmissions += 1
    effects.append(StartTimer(record.key, "A", timing.doubled(record.retransmissions), record.retransmissions))


def keep_header(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Drop the body: the INVITE will not be sent again, but an ACK or a CANCEL may have to be made of its header."""
    record.request = without_body(record.request)


def ack_sent(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Send the ACK, made at the first response; from then on the INVITE is not needed."""
    if record.request:
        record.ack = acknowledgement(record.request, given)
        record.request = b""
    effects.append(Send(record.destination, record.ack, record.key))


def start_d(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer D, which is 0 on a reliable transport: `receive` fires it at once."""
    if not record.reliable:
        effects.append(StartTimer(record.key, "D", timing.timer_d))


def start_m(record: InviteClient, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer M and keep nothing but key and owner: in Accepted only 2xx pass through."""
    record.request = b""
    record.destination = None
    effects.append(StartTimer(record.key, "M", timing.timer_m))


FIGURE_5 = Figure(
    "RFC 6026 Figure 5",
    [
        (CALLING, R1XX, PROCEEDING, (keep_header, resp_to_tu)),
        (CALLING, R2XX, ACCEPTED, (start_m, resp_to_tu)),
        (CALLING, R3XX_6XX, COMPLETED, (start_d, ack_sent, resp_to_tu)),
        (CALLING, TIMER_A, CALLING, (reset_a, invite_sent)),
        (CALLING, TIMER_B, TERMINATED, (timeout_to_tu,)),
        (CALLING, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
        (PROCEEDING, R2XX, ACCEPTED, (start_m, resp_to_tu)),
        (PROCEEDING, R1XX, PROCEEDING, (resp_to_tu,)),
        (PROCEEDING, R3XX_6XX, COMPLETED, (start_d, ack_sent, resp_to_tu)),
        (ACCEPTED, R2XX, ACCEPTED, (resp_to_tu,)),
        (ACCEPTED, TIMER_M, TERMINATED, ()),
        (COMPLETED, R3XX_6XX, COMPLETED, (ack_sent,)),
        (COMPLETED, TIMER_D, TERMINATED, ()),
        (COMPLETED, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
    ],
    initial=CALLING,
    final=TERMINATED,
    entry=(start_a, start_b, invite_sent),
    timers={CALLING: "AB", COMPLETED: "D", ACCEPTED: "M"},
    ignores={
        # Timers that do not live in the state: they fired while they were being stopped.
        CALLING: (TIMER_D, TIMER_M),
        # An error reported late by a connection or by ICMP: a response has come, so the INVITE did arrive.
        PROCEEDING: (TIMER_A, TIMER_B, TIMER_D, TIMER_M, TRANSPORT_ERROR),
        # The next hop has answered for good; whatever else it says, the failure it was acknowledged stands.
        COMPLETED: (R1XX, R2XX, TIMER_A, TIMER_B, TIMER_M),
        # Other branches of a fork that ring or fail after one has answered. Nothing is sent that could fail.
        ACCEPTED: (R1XX, R3XX_6XX, TIMER_A, TIMER_B, TIMER_D, TRANSPORT_ERROR),
    },
)

advance = FIGURE_5.advance
enter = FIGURE_5.enter


def start(
    key: str,
    request: bytes,
    destination: Any,
    reliable: bool,
    owner: Any,
    timing: Timing,
    effects: list[Effect],
) -> InviteClient:
    """Return the record of a new transaction in Calling; its effects send `request` and start timers A and B.

    `key` is `matching.client_key` of the branch in `request`, an encoded INVITE. `owner` is whom ToUser is for.
    """
    record = InviteClient(key, CALLING, owner, destination, reliable, request)
    enter(record, None, timing, effects)
    return record


def receive(record: InviteClient, response: Response, timing: Timing, effects: list[Effect]) -> InviteClient:
    """Return the record after `response`, which matched this transaction (17.1.3)."""
    status = response.status
    after = advance(record, R1XX if status < 200 else R2XX if status < 300 else R3XX_6XX, response, timing, effects)
    if after.reliable and after.state == COMPLETED:
        return advance(after, TIMER_D, None, timing, effects)
    return after


def fire(record: InviteClient, letter: str, generation: int, timing: Timing, effects: list[Effect]) -> InviteClient:
    """Return the record after timer `letter`; the same record when the timer is stale or not alive in this state."""
    if letter == "A" and generation != record.retransmissions:
        return record
    return advance(record, TIMER + letter, None, timing, effects)


def transport_error(record: InviteClient, timing: Timing, effects: list[Effect]) -> InviteClient:
    """Return the record after the transport failed to send what this transaction gave it."""
    return advance(record, TRANSPORT_ERROR, None, timing, effects)

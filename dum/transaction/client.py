"""Non-INVITE client transaction: RFC 3261 figure 6 (section 17.1.2)."""

from typing import Any

from dum.effects import Effect, Send, StartTimer
from dum.fsm import TIMER, Figure
from dum.message import Response
from dum.timers import Timing
from dum.transaction.inform import error_to_tu, resp_to_tu, timeout_to_tu
from dum.transaction.words import (
    COMPLETED,
    PROCEEDING,
    R1XX,
    R2XX_6XX,
    TERMINATED,
    TIMER_E,
    TIMER_F,
    TIMER_K,
    TRANSPORT_ERROR,
    TRYING,
)


class Client:
    """The record of a client transaction that is not an INVITE's, immutable by convention.

    `request` is the encoded request until a final response comes. `retransmissions` counts timer E and is its
    generation.
    """

    __slots__ = ("destination", "key", "owner", "reliable", "request", "retransmissions", "state")

    def __init__(
        self,
        key: str,
        state: str,
        owner: Any,
        destination: Any,
        reliable: bool,
        request: bytes,
        retransmissions: int = 0,
    ) -> None:
        self.key = key
        self.state = state
        self.owner = owner
        self.destination = destination
        self.reliable = reliable
        self.request = request
        self.retransmissions = retransmissions

    def copy(self) -> "Client":
        """Return a new record with the same fields."""
        return Client(
            self.key,
            self.state,
            self.owner,
            self.destination,
            self.reliable,
            self.request,
            self.retransmissions,
        )


def send_request(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Send the request, or send it again."""
    effects.append(Send(record.destination, record.request, record.key))


def start_e(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer E at T1, unless the transport is reliable."""
    if not record.reliable:
        effects.append(StartTimer(record.key, "E", timing.t1))


def start_f(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer F."""
    effects.append(StartTimer(record.key, "F", timing.timer_f))


def reset_e(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer E again with twice the interval, T2 at most."""
    record.retransmissions += 1
    effects.append(StartTimer(record.key, "E", timing.doubled_to_t2(record.retransmissions), record.retransmissions))


def reset_e_to_t2(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer E again with T2."""
    record.retransmissions += 1
    effects.append(StartTimer(record.key, "E", timing.t2, record.retransmissions))


def start_k(record: Client, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Drop the request and start timer K, which is 0 on a reliable transport: `receive` fires it at once."""
    record.request = b""
    record.destination = None
    if not record.reliable:
        effects.append(StartTimer(record.key, "K", timing.timer_k))


FIGURE_6 = Figure(
    "RFC 3261 Figure 6",
    [
        (TRYING, R2XX_6XX, COMPLETED, (start_k, resp_to_tu)),
        (TRYING, R1XX, PROCEEDING, (resp_to_tu,)),
        (TRYING, TIMER_E, TRYING, (reset_e, send_request)),
        (TRYING, TIMER_F, TERMINATED, (timeout_to_tu,)),
        (TRYING, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
        (COMPLETED, TIMER_K, TERMINATED, ()),
        (PROCEEDING, R2XX_6XX, COMPLETED, (start_k, resp_to_tu)),
        (PROCEEDING, R1XX, PROCEEDING, (resp_to_tu,)),
        (PROCEEDING, TIMER_E, PROCEEDING, (reset_e_to_t2, send_request)),
        (PROCEEDING, TIMER_F, TERMINATED, (timeout_to_tu,)),
        (PROCEEDING, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
    ],
    initial=TRYING,
    final=TERMINATED,
    entry=(start_e, start_f, send_request),
    timers={TRYING: "EF", PROCEEDING: "EF", COMPLETED: "K"},
    ignores={
        # A timer that does not live in the state: it fired while it was being stopped.
        TRYING: (TIMER_K,),
        PROCEEDING: (TIMER_K,),
        # Retransmitted responses are what timer K waits for; nothing is sent any more that could fail.
        COMPLETED: (R1XX, R2XX_6XX, TIMER_E, TIMER_F, TRANSPORT_ERROR),
    },
)

advance = FIGURE_6.advance
enter = FIGURE_6.enter


def start(
    key: str,
    request: bytes,
    destination: Any,
    reliable: bool,
    owner: Any,
    timing: Timing,
    effects: list[Effect],
) -> Client:
    """Return the record of a new transaction in Trying; its effects send `request` and start timers E and F.

    `key` is `matching.client_key` of the branch in `request`, which is encoded. `owner` is whom ToUser is for.
    """
    record = Client(key, TRYING, owner, destination, reliable, request)
    enter(record, None, timing, effects)
    return record


def receive(record: Client, response: Response, timing: Timing, effects: list[Effect]) -> Client:
    """Return the record after `response`, which matched this transaction (17.1.3)."""
    after = advance(record, R1XX if response.status < 200 else R2XX_6XX, response, timing, effects)
    if after.reliable and after.state == COMPLETED:
        return advance(after, TIMER_K, None, timing, effects)
    return after


def fire(record: Client, letter: str, generation: int, timing: Timing, effects: list[Effect]) -> Client:
    """Return the record after timer `letter`; the same record when the timer is stale or not alive in this state."""
    if letter == "E" and generation != record.retransmissions:
        return record
    return advance(record, TIMER + letter, None, timing, effects)


def transport_error(record: Client, timing: Timing, effects: list[Effect]) -> Client:
    """Return the record after the transport failed to send what this transaction gave it."""
    return advance(record, TRANSPORT_ERROR, None, timing, effects)

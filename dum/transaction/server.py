"""Non-INVITE server transaction: RFC 3261 figure 8 (section 17.2.2)."""

from typing import Any

from dum.effects import Effect, Send, StartTimer
from dum.fsm import TIMER, Figure
from dum.message import Request
from dum.timers import Timing
from dum.transaction.inform import error_to_tu
from dum.transaction.words import (
    COMPLETED,
    PROCEEDING,
    REQUEST,
    TERMINATED,
    TIMER_J,
    TRANSPORT_ERROR,
    TRYING,
    TU_1XX,
    TU_2XX_6XX,
)


class Server:
    """The record of a server transaction that is not an INVITE's, immutable by convention.

    `response` is the last response, encoded, or b"" before there is one.
    """

    __slots__ = ("destination", "key", "owner", "reliable", "response", "state")

    def __init__(
        self, key: str, state: str, owner: Any, destination: Any, reliable: bool, response: bytes = b""
    ) -> None:
        self.key = key
        self.state = state
        self.owner = owner
        self.destination = destination
        self.reliable = reliable
        self.response = response

    def copy(self) -> "Server":
        """Return a new record with the same fields."""
        return Server(self.key, self.state, self.owner, self.destination, self.reliable, self.response)


def send_response(record: Server, given: bytes, timing: Timing, effects: list[Effect]) -> None:
    """Send the response of the transaction user, and keep it for a retransmitted request."""
    record.response = given
    effects.append(Send(record.destination, given, record.key))


def send_again(record: Server, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Send the last response again."""
    effects.append(Send(record.destination, record.response, record.key))


def start_j(record: Server, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Start timer J, which is 0 on a reliable transport: `respond` fires it at once."""
    if not record.reliable:
        effects.append(StartTimer(record.key, "J", timing.timer_j))


FIGURE_8 = Figure(
    "RFC 3261 Figure 8",
    [
        (TRYING, TU_2XX_6XX, COMPLETED, (start_j, send_response)),
        (TRYING, TU_1XX, PROCEEDING, (send_response,)),
        (COMPLETED, TIMER_J, TERMINATED, ()),
        (COMPLETED, REQUEST, COMPLETED, (send_again,)),
        (COMPLETED, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
        (PROCEEDING, TU_2XX_6XX, COMPLETED, (start_j, send_response)),
        (PROCEEDING, TU_1XX, PROCEEDING, (send_response,)),
        (PROCEEDING, REQUEST, PROCEEDING, (send_again,)),
        (PROCEEDING, TRANSPORT_ERROR, TERMINATED, (error_to_tu,)),
    ],
    initial=TRYING,
    final=TERMINATED,
    timers={COMPLETED: "J"},
    ignores={
        # A retransmission is discarded while there is nothing to answer it with (17.2.2). Nothing has been sent.
        TRYING: (REQUEST, TIMER_J, TRANSPORT_ERROR),
        # A timer that does not live in the state.
        PROCEEDING: (TIMER_J,),
        # Any further response is discarded: one final response has been sent and stands (17.2.2).
        COMPLETED: (TU_1XX, TU_2XX_6XX),
    },
)

advance = FIGURE_8.advance


def start(key: str, destination: Any, reliable: bool, owner: Any, timing: Timing, effects: list[Effect]) -> Server:
    """Return the record of a new transaction in Trying, for a request that matched none.

    `key` is `matching.server_key` of the request, which is not kept: the caller passes it to the transaction user.
    `destination` is where the responses go (18.2.2).
    `timing` and `effects` are there because every machine is given them: nothing is sent or timed yet.
    """
    return Server(key, TRYING, owner, destination, reliable)


def respond(record: Server, status: int, data: bytes, timing: Timing, effects: list[Effect]) -> Server:
    """Return the record after the transaction user's response `data` (encoded) of `status`; ignored once Completed."""
    after = advance(record, TU_1XX if status < 200 else TU_2XX_6XX, data, timing, effects)
    if after.reliable and after.state == COMPLETED:
        return advance(after, TIMER_J, None, timing, effects)
    return after


def receive(record: Server, request: Request, timing: Timing, effects: list[Effect]) -> Server:
    """Return the record after `request`, a retransmission that matched this transaction (17.2.3)."""
    return advance(record, REQUEST, request, timing, effects)


def fire(record: Server, letter: str, generation: int, timing: Timing, effects: list[Effect]) -> Server:
    """Return the record after timer `letter`; the same record when it is not alive in this state."""
    return advance(record, TIMER + letter, None, timing, effects)


def transport_error(record: Server, timing: Timing, effects: list[Effect]) -> Server:
    """Return the record after the transport failed to send what this transaction gave it."""
    return advance(record, TRANSPORT_ERROR, None, timing, effects)

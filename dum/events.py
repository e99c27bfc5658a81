"""What an application receives: frozen dataclasses, dispatched by type to the handlers registered for it."""

from dataclasses import dataclass
from typing import Any

from dum.message import Request, Response


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to `call`, the handle that the application acts on."""

    call: Any


@dataclass(frozen=True, slots=True)
class IncomingCall(Event):
    """A new INVITE waits for `call.ring()`, `call.answer()`, `call.reject()`; `offer` is b"" when it brought none."""

    request: Request
    offer: bytes


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """The callee sent a provisional response: `status` from 101 to 199 (180 rings), `body` its early media or b""."""

    response: Response

    @property
    def status(self) -> int:
        """The status code, 101 to 199."""
        return self.response.status

    @property
    def body(self) -> bytes:
        """The body of the response, usually a session description."""
        return self.response.body


@dataclass(frozen=True, slots=True)
class Established(Event):
    """The call stands: a 2xx was sent and acknowledged, or received and its ACK sent.

    `body` is the peer's session description that came with it: the answer in a 2xx or in an ACK, or b"".
    """

    body: bytes


@dataclass(frozen=True, slots=True)
class AnswerWanted(Event):
    """The callee's 2xx brought an offer (the INVITE had none): `call.answer()` sends the ACK that answers it."""

    offer: bytes


@dataclass(frozen=True, slots=True)
class Offered(Event):
    """The peer's re-INVITE waits for `call.answer()` or `call.reject()`; `offer` is b"" when it asks for ours."""

    request: Request
    offer: bytes


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """The call is over; each call reports exactly one end.

    `status` is the final status that ended it before it was established (487 cancelled, 486 busy, 408 nothing heard,
    502 a 2xx whose sender can't be reached, 503 not delivered, ...), after it the answer to the BYE, 200 as a rule.
    `by_peer` tells who ended it. `why` is one of "bye", "cancelled", "rejected", "no answer", "transport", or "bug",
    which has been logged.
    """

    status: int
    by_peer: bool
    why: str

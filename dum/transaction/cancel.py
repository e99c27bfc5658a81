"""CANCEL: RFC 3261 section 9, what the client may send and what the server makes of it.

A CANCEL is a transaction of its own, hop by hop (its client is figure 6, its server figure 8); it shares the branch
of the INVITE that it cancels. Wanting to cancel before there was any response is kept by the usage.
"""

from collections.abc import Iterable
from typing import Any

from dum.transaction.companion import companion
from dum.transaction.words import PROCEEDING


def may_cancel(state: str) -> bool:
    """Return whether an INVITE client transaction in `state` may be cancelled now (9.1).

    Not before a provisional response has come, lest the CANCEL overtakes the INVITE, nor after a final one.
    """
    return state == PROCEEDING


def cancellation(request: bytes, more: Iterable[bytes] = ()) -> bytes:
    """Return the encoded CANCEL for the INVITE `request` (its header suffices): 9.1.

    It goes to the destination that the INVITE went to. `more` are whole header lines without their ends, such as
    b"Reason: SIP;cause=200;text=\\"Call completed elsewhere\\"" (RFC 3326). When no final response has come 64*T1
    (`Timing.timer_b`) later the client takes the INVITE for cancelled; in Proceeding its machine runs no timer, so
    forgetting the record is all there is to do.
    """
    return companion(request, b"CANCEL", more=more)


def answer(target: Any | None) -> int:
    """Return the status that answers a CANCEL: 200 when it matches a server transaction, else 481 (9.2).

    `target` is the INVITE server transaction found under `matching.cancel_target_key`, or None. The To tag of a 200
    should be the one of the responses to the INVITE.
    """
    return 481 if target is None else 200


def takes_effect(target: Any | None) -> bool:
    """Return whether the INVITE is to be answered 487 now: only while no final response to it has been sent (9.2)."""
    return target is not None and target.state == PROCEEDING

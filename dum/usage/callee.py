"""The callee's side of a call: the dialog states of RFC 5407 section 2 (its figure 2), with what crosses in a race."""

from typing import Any

from dum.dialog.dialog import by_callee
from dum.effects import Effect, Tell, ToServer
from dum.events import Established, IncomingCall
from dum.fsm import Figure
from dum.message import Request
from dum.timers import Timing
from dum.usage.accepting import accepted, acknowledged, response_to_invite, terminated
from dum.usage.ending import (
    bye_answered,
    bye_sent,
    end_remembered,
    end_told,
    own_end_done,
    peer_ended,
)
from dum.usage.session import CALLEE, Given, InviteUsage, ReceivedInvite, usage_key

PREPARATIVE = "Preparative"
EARLY = "Early"
MORATORIUM = "Moratorium"
ESTABLISHED = "Established"
MORTAL = "Mortal"
MORGUE = "Morgue"


def provisional_sent(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Send a provisional response with our tag: the dialog is early from here on (RFC 3261 13.3.1.1)."""
    assert usage.received is not None
    assert given.command is not None
    status = given.command.status or 180
    response = response_to_invite(usage.received, usage, given, status, given.command.body)
    effects.append(ToServer(usage.received.key, status, response.encode()))


def rejection_sent(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Send the final response that refuses the call (13.3.1.2, 13.3.1.3)."""
    assert usage.received is not None
    assert given.command is not None
    status = given.command.status or 480
    response = response_to_invite(usage.received, usage, given, status, given.command.body)
    effects.append(ToServer(usage.received.key, status, response.encode()))
    end_told(usage, status, False, "rejected", effects)


def terminated_487(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Answer the INVITE with 487, because a CANCEL or a BYE has come before its final response (9.2, 15.1.2)."""
    terminated(usage, given, effects)
    end_told(usage, 487, True, "cancelled", effects)


def given_up(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """End a call whose caller can't be reached: the INVITE gets its final response, without which it would stay."""
    received = usage.received
    assert received is not None
    response = response_to_invite(received, usage, Given(given.agent, given.fresh), 480, b"")
    effects.append(ToServer(received.key, 480, response.encode()))
    end_told(usage, 503, False, "transport", effects)


def established_told(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Tell the application that the call stands, with the body that the ACK brought."""
    effects.append(Tell(usage.owner, Established(usage.owner, given.message.body if given.message else b"")))


def established_without_ack(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Tell the application that the call stands, although its ACK was lost: the peer has begun to use the dialog."""
    acknowledged(usage, given, timing, effects)
    effects.append(Tell(usage.owner, Established(usage.owner, b"")))


def remembered_end_done(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Send the BYE that had to wait for the ACK (section 15)."""
    usage.end_wanted = False
    bye_sent(usage, given, timing, effects)


def unacknowledged(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Give up waiting for the ACK after 64*T1: the dialog stands, the session is ended with a BYE (13.3.1.4)."""
    acknowledged(usage, given, timing, effects)
    bye_sent(usage, given, timing, effects)


FIGURE = Figure(
    "RFC 5407 figure 2 (callee)",
    [
        # state        event           next state   label under the line
        (PREPARATIVE, "RING", EARLY, (provisional_sent,)),
        (PREPARATIVE, "ANSWER", MORATORIUM, (accepted,)),
        (PREPARATIVE, "REJECT", MORGUE, (rejection_sent,)),
        (PREPARATIVE, "END", MORGUE, (rejection_sent,)),
        (PREPARATIVE, "CANCEL", MORGUE, (terminated_487,)),
        (PREPARATIVE, "BYE", MORGUE, (bye_answered, terminated_487)),
        (PREPARATIVE, "UNREACHABLE", MORGUE, (given_up,)),
        (EARLY, "RING", EARLY, (provisional_sent,)),
        (EARLY, "ANSWER", MORATORIUM, (accepted,)),
        (EARLY, "REJECT", MORGUE, (rejection_sent,)),
        (EARLY, "END", MORGUE, (rejection_sent,)),
        (EARLY, "CANCEL", MORGUE, (terminated_487,)),
        (EARLY, "BYE", MORGUE, (bye_answered, terminated_487)),
        (EARLY, "UNREACHABLE", MORGUE, (given_up,)),
        (MORATORIUM, "ACK", ESTABLISHED, (acknowledged, established_told)),
        (MORATORIUM, "ACK_ENDS", MORTAL, (acknowledged, remembered_end_done)),
        (MORATORIUM, "ACK_OVERTAKEN", ESTABLISHED, (established_without_ack,)),
        (MORATORIUM, "NO_ACK", MORTAL, (unacknowledged,)),
        (MORATORIUM, "BYE", MORGUE, (peer_ended,)),
        (MORATORIUM, "END", MORATORIUM, (end_remembered,)),
        (ESTABLISHED, "NO_ACK", MORTAL, (unacknowledged,)),
        (ESTABLISHED, "BYE", MORGUE, (peer_ended,)),
        (ESTABLISHED, "END", MORTAL, (bye_sent,)),
        (MORTAL, "BYE", MORTAL, (bye_answered,)),
        (MORTAL, "BYE_DONE", MORGUE, (own_end_done,)),
    ],
    initial=PREPARATIVE,
    final=MORGUE,
    timers={},
    ignores={
        # An ACK before the 2xx belongs to no INVITE of ours; a BYE can't be done before it was sent.
        PREPARATIVE: ("ACK", "ACK_ENDS", "ACK_OVERTAKEN", "NO_ACK", "BYE_DONE"),
        EARLY: ("ACK", "ACK_ENDS", "ACK_OVERTAKEN", "NO_ACK", "BYE_DONE"),
        # The application's answer and the peer's CANCEL crossed: the CANCEL has no effect on the INVITE (9.2), the
        # second command is reported to its caller. A transport error of the 2xx is mended by its retransmission.
        MORATORIUM: ("RING", "ANSWER", "REJECT", "CANCEL", "UNREACHABLE", "BYE_DONE"),
        ESTABLISHED: (
            "RING",
            "ANSWER",
            "REJECT",
            "CANCEL",
            "UNREACHABLE",
            "ACK",
            "ACK_ENDS",
            "ACK_OVERTAKEN",
            "BYE_DONE",
        ),
        MORTAL: (
            "RING",
            "ANSWER",
            "REJECT",
            "CANCEL",
            "UNREACHABLE",
            "ACK",
            "ACK_ENDS",
            "ACK_OVERTAKEN",
            "NO_ACK",
            "END",
        ),
    },
)

advance = FIGURE.advance


def start(owner: Any, given: Given, effects: list[Effect]) -> InviteUsage:
    """Make the usage of a new INVITE and tell the application (RFC 3261 13.3).

    `given.message` is the request, `given.fresh.tag` becomes the local tag. Raises HeaderError when a header that the
    dialog needs can't be read.
    """
    request: Request = given.message
    dialog = by_callee(request, given.fresh.tag)
    received = ReceivedInvite(given.server_key, request.cseq, not request.body, given.source, request)
    effects.append(Tell(owner, IncomingCall(owner, request, request.body)))
    return InviteUsage(
        usage_key(request.call_id, dialog.local_tag),
        PREPARATIVE,
        CALLEE,
        owner,
        given.flow,
        dialog,
        (),
        None,
        received,
        (),
        b"",
        False,
    )

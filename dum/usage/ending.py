"""How a call ends: the BYE of RFC 3261 section 15, sent, received or crossed, and the one report of the end."""

from dum.dialog.dialog import Dialog
from dum.dialog.requests import hop_of, request_within
from dum.effects import Effect, Tell, ToClient, ToServer
from dum.events import Ended
from dum.timers import Timing
from dum.usage.accepting import repetition_stopped, terminated
from dum.usage.session import Given, InviteUsage


def end_told(usage: InviteUsage, status: int, by_peer: bool, why: str, effects: list[Effect]) -> None:
    """Report the end of the call and stop what would still be retransmitted for it."""
    if usage.received is not None and usage.received.response:
        repetition_stopped(usage, effects)
    usage.received = None
    usage.sent = None
    effects.append(Tell(usage.owner, Ended(usage.owner, status, by_peer, why)))


def bye_within(
    dialog: Dialog, usage: InviteUsage, given: Given, number: int, effects: list[Effect], heard: bool = True
) -> Dialog:
    """Send a BYE within `dialog` and return the dialog with its CSeq counted up; its answer is waited for if `heard`.

    A peer whose Contact can't be sent to gets none: there is nowhere to send it (counted by the absence of an answer).
    """
    agent = given.agent
    seq = (dialog.local_seq if dialog.local_seq is not None else given.fresh.initial_seq) + 1
    branch = given.fresh.branch_number(number)
    reason = given.command.fields if given.command is not None else ()
    try:
        hop = hop_of(dialog, usage.flow)
        request = request_within(dialog, "BYE", seq, branch, hop, agent.local, agent.profile, reason)
    except (KeyError, ValueError):
        return dialog
    effects.append(ToClient("BYE", branch, request.encode(), hop, heard))
    return dialog.with_local_seq(seq)


def bye_sent(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Send the BYE that ends the session (15.1.1), and refuse a re-INVITE that waits in it."""
    terminated(usage, given, effects)
    sent_before = len(effects)
    usage.dialog = bye_within(usage.require_dialog(), usage, given, 0, effects)
    usage.local_body = b""
    if len(effects) == sent_before:
        from_nowhere(usage, given, timing, effects)


def from_nowhere(usage: InviteUsage, _given: Given, _timing: Timing, effects: list[Effect]) -> None:
    """End at once a call whose peer has no address that a BYE could go to."""
    usage.state = "Morgue"
    end_told(usage, 503, False, "transport", effects)


def bye_answered(_usage: InviteUsage, given: Given, _timing: Timing, effects: list[Effect]) -> None:
    """Answer a BYE with 200 (15.1.2)."""
    effects.append(ToServer(given.server_key, 200, given.message.respond(200).encode()))


def peer_ended(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Answer the BYE of the peer, and with 487 its re-INVITE if one waits (15.1.2), and report the end."""
    bye_answered(usage, given, timing, effects)
    terminated(usage, given, effects)
    end_told(usage, 200, True, "bye", effects)


def own_end_done(usage: InviteUsage, given: Given, _timing: Timing, effects: list[Effect]) -> None:
    """Report the end that we asked for, with the status of the answer to our BYE (15.1.1: 481 and 408 end it too)."""
    if given.message is not None:
        status = given.message.status
    else:
        status = given.command.status if given.command is not None else 408
    end_told(usage, status, False, "bye", effects)


def end_remembered(usage: InviteUsage, _given: Given, _timing: Timing, _effects: list[Effect]) -> None:
    """Keep an end for later: the callee's BYE has to wait for the ACK (section 15)."""
    usage.end_wanted = True

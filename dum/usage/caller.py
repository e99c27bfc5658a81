"""The caller's side of a call: the dialog states of RFC 5407 section 2 (its figure 1), with forks and crossings."""

from typing import Any

from dum.dialog.dialog import Dialog, by_caller, contact_uri, next_hop, route_set_of_2xx
from dum.dialog.requests import hop_of, request_within
from dum.effects import Effect, Forget, Send, StartTimer, StopTimer, Tell, ToClient
from dum.events import AnswerWanted, Established, Progress
from dum.fsm import Figure
from dum.message import HeaderError, Request, Response, Uri
from dum.timers import Timing
from dum.transaction.cancel import cancellation
from dum.transaction.companion import without_body
from dum.transaction.matching import client_key
from dum.usage.accepting import acknowledged
from dum.usage.ending import (
    bye_answered,
    bye_sent,
    bye_within,
    end_told,
    own_end_done,
    peer_ended,
)
from dum.usage.session import CALLER, Command, Given, InviteUsage, SentAck, SentInvite, usage_key

PREPARATIVE = "Preparative"
EARLY = "Early"
MORATORIUM = "Moratorium"
ESTABLISHED = "Established"
MORTAL = "Mortal"
MORGUE = "Morgue"

# So many forks of one call are followed; tags without end, each with its own dialog, are nobody's telephones.
FORKS_KEPT = 64


def cancel_wanted(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Cancel the INVITE: now when a provisional response has come, else with the first one (RFC 3261 9.1)."""
    sent = usage.sent
    assert sent is not None
    if sent.cancel == "sent":
        return
    if not sent.provisionals:
        usage.sent = sent.with_progress(0, "wanted")
        return
    usage.sent = sent.with_progress(sent.provisionals, "sent")
    effects.append(ToClient("CANCEL", sent.branch, cancellation(sent.header), sent.destination, False))
    effects.append(StartTimer(usage.key, "CANCELLED", timing.timer_b, sent.seq))


def start_c(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Give the INVITE the time of timer C to be answered: a callee may ring and then die (16.6 has it for proxies)."""
    assert usage.sent is not None
    effects.append(StartTimer(usage.key, "C", timing.timer_c, usage.sent.provisionals))


def progressed(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Note that a provisional response has come: it restarts timer C, and a CANCEL that waited for it goes out now."""
    sent = usage.sent
    assert sent is not None
    usage.sent = sent.with_progress(sent.provisionals + 1, sent.cancel)
    start_c(usage, given, timing, effects)
    if sent.cancel == "wanted":
        cancel_wanted(usage, given, timing, effects)


def early_dialog(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Keep the early dialog that a tagged 1xx makes, one for each fork (12.1.2, 13.2.2.1), and tell the application."""
    response: Response = given.message
    tag = response.to_tag
    known = [fork for fork in (usage.dialog, *usage.forks) if fork is not None and fork.remote_tag == tag]
    if not known:
        assert usage.sent is not None
        dialog = by_caller(response, local_seq=usage.sent.seq)
        if usage.dialog is None:
            usage.dialog = dialog
        elif len(usage.forks) < FORKS_KEPT:
            usage.forks = (*usage.forks, dialog)
    effects.append(Tell(usage.owner, Progress(usage.owner, response)))


def refused(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Report that the call was refused, or that nobody answered (8.1.3.1: 408 and 503 stand in for a response)."""
    effects.append(StopTimer(usage.key, "CANCELLED"))
    cancelled = usage.sent is not None and usage.sent.cancel != ""
    response: Response | None = given.message
    if response is None:
        assert given.command is not None
        end_told(usage, given.command.status, False, given.command.reason or "", effects)
    else:
        why = "cancelled" if cancelled and response.status == 487 else "rejected"
        end_told(usage, response.status, not cancelled, why, effects)


def cancel_unheard(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Take a cancelled INVITE for dead when no final response came within 64*T1 of the CANCEL (9.1)."""
    assert usage.sent is not None
    effects.append(Forget(usage.sent.key))
    end_told(usage, 487, False, "cancelled", effects)


def confirmed(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Confirm the dialog of the first 2xx; other early dialogs stay until the INVITE transaction ends (13.2.2.4)."""
    response: Response = given.message
    sent = usage.sent
    assert sent is not None
    early = [fork for fork in (usage.dialog, *usage.forks) if fork is not None]
    same = [fork for fork in early if fork.remote_tag == response.to_tag]
    usage.forks = tuple(fork for fork in early if fork.remote_tag != response.to_tag)
    usage.dialog = (
        route_set_of_2xx(same[0], response) if same else by_caller(response, local_seq=sent.seq)
    ).confirmed()
    if sent.cancel == "sent":
        effects.append(StopTimer(usage.key, "CANCELLED"))


def answer_asked(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Ask the application to answer the offer of the 2xx, which the ACK has to carry (13.2.2.4)."""
    effects.append(Tell(usage.owner, AnswerWanted(usage.owner, given.message.body)))


def _ack(dialog: Dialog, usage: InviteUsage, given: Given, seq: int, body: bytes, effects: list[Effect]) -> None:
    """Send the ACK of a 2xx and keep its bytes for the next time the 2xx comes (13.2.2.4)."""
    agent = given.agent
    try:
        hop = hop_of(dialog, usage.flow)
        fields = [("Content-Type", "application/sdp")] if body else []
        branch = given.fresh.branch_number(len(usage.acks) + 1)
        request = request_within(dialog, "ACK", seq, branch, hop, agent.local, agent.profile, fields, body)
    except (KeyError, ValueError):
        return
    data = request.encode()
    effects.append(Send(hop, data))
    usage.acks = (*usage.acks, SentAck(dialog.remote_tag, seq, data, hop))


def ack_sent(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Acknowledge the 2xx, with the answer when the application was asked for one."""
    body = given.command.body if given.command is not None else b""
    assert usage.sent is not None
    _ack(usage.require_dialog(), usage, given, usage.sent.seq, body, effects)
    if body:
        usage.local_body = body
    usage.sent = None


def established_told(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Tell the application that the call stands, with the session description of the 2xx."""
    body = given.message.body if given.message is not None else b""
    effects.append(Tell(usage.owner, Established(usage.owner, body)))


def ack_repeated(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Acknowledge a 2xx that came again with the same bytes; end the dialog of another fork's 2xx (13.2.2.4).

    The first 2xx wins: the dialog that a second fork made is acknowledged and ended with a BYE of its own.
    """
    response: Response = given.message
    for ack in usage.acks:
        if ack.remote_tag == response.to_tag and ack.seq == response.cseq:
            effects.append(Send(ack.destination, ack.data))
            return
    if usage.dialog is not None and usage.dialog.remote_tag == response.to_tag:
        return
    if len(usage.acks) > FORKS_KEPT:
        return
    try:
        fork = by_caller(response, local_seq=response.cseq).confirmed()
    except HeaderError:
        return
    usage.forks = tuple(other for other in usage.forks if other.remote_tag != fork.remote_tag)
    _ack(fork, usage, given, response.cseq, b"", effects)
    bye_within(fork, usage, given, len(usage.acks) + 100, effects, False)


FIGURE = Figure(
    "RFC 5407 figure 1 (caller)",
    [
        # state        event           next state   label under the line
        (PREPARATIVE, "R1XX_UNTAGGED", PREPARATIVE, (progressed,)),
        (PREPARATIVE, "R1XX", EARLY, (progressed, early_dialog)),
        (PREPARATIVE, "R2XX", MORATORIUM, (confirmed,)),
        (PREPARATIVE, "R3XX_6XX", MORGUE, (refused,)),
        (PREPARATIVE, "CANCELLED", MORGUE, (cancel_unheard,)),
        (PREPARATIVE, "END", PREPARATIVE, (cancel_wanted,)),
        (PREPARATIVE, "TIMER_C", PREPARATIVE, (cancel_wanted,)),
        (EARLY, "R1XX_UNTAGGED", EARLY, (progressed,)),
        (EARLY, "R1XX", EARLY, (progressed, early_dialog)),
        (EARLY, "R2XX", MORATORIUM, (confirmed,)),
        (EARLY, "R3XX_6XX", MORGUE, (refused,)),
        (EARLY, "CANCELLED", MORGUE, (cancel_unheard,)),
        (EARLY, "END", EARLY, (cancel_wanted,)),
        (EARLY, "TIMER_C", EARLY, (cancel_wanted,)),
        (EARLY, "BYE", EARLY, (bye_answered, cancel_wanted)),
        (MORATORIUM, "LATE_OFFER", MORATORIUM, (answer_asked,)),
        (MORATORIUM, "ACK_SENT", ESTABLISHED, (ack_sent, established_told)),
        (MORATORIUM, "ANSWER", ESTABLISHED, (ack_sent, established_told)),
        (MORATORIUM, "ACK_ENDS", MORTAL, (ack_sent, bye_sent)),
        (MORATORIUM, "R2XX", MORATORIUM, (ack_repeated,)),
        (MORATORIUM, "END", MORTAL, (ack_sent, bye_sent)),
        (MORATORIUM, "BYE", MORGUE, (ack_sent, peer_ended)),
        (ESTABLISHED, "R2XX", ESTABLISHED, (ack_repeated,)),
        (ESTABLISHED, "BYE", MORGUE, (peer_ended,)),
        (ESTABLISHED, "END", MORTAL, (bye_sent,)),
        (ESTABLISHED, "NO_ACK", MORTAL, (acknowledged, bye_sent)),
        (MORTAL, "R2XX", MORTAL, (ack_repeated,)),
        (MORTAL, "BYE", MORTAL, (bye_answered,)),
        (MORTAL, "BYE_DONE", MORGUE, (own_end_done,)),
    ],
    initial=PREPARATIVE,
    final=MORGUE,
    timers={PREPARATIVE: "C", EARLY: "C"},
    entry=(start_c,),
    ignores={
        PREPARATIVE: ("LATE_OFFER", "ACK_SENT", "ANSWER", "ACK_ENDS", "BYE", "BYE_DONE", "NO_ACK"),
        EARLY: ("LATE_OFFER", "ACK_SENT", "ANSWER", "ACK_ENDS", "BYE_DONE", "NO_ACK"),
        # After the first 2xx the INVITE transaction is Accepted: nothing but more 2xx comes from it (RFC 6026).
        MORATORIUM: ("R1XX", "R1XX_UNTAGGED", "R3XX_6XX", "CANCELLED", "TIMER_C", "BYE_DONE", "NO_ACK"),
        ESTABLISHED: (
            "R1XX",
            "R1XX_UNTAGGED",
            "R3XX_6XX",
            "CANCELLED",
            "TIMER_C",
            "BYE_DONE",
            "LATE_OFFER",
            "ACK_SENT",
            "ANSWER",
            "ACK_ENDS",
        ),
        MORTAL: (
            "R1XX",
            "R1XX_UNTAGGED",
            "R3XX_6XX",
            "CANCELLED",
            "TIMER_C",
            "LATE_OFFER",
            "ACK_SENT",
            "ANSWER",
            "ACK_ENDS",
            "NO_ACK",
            "END",
        ),
    },
)

advance = FIGURE.advance
enter = FIGURE.enter


def start(owner: Any, call_id: str, target: str, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Make the usage of a call to `target` and send its INVITE (RFC 3261 13.2.1, 8.1.1).

    `given.command` brings the offer as body and header fields to add. Raises ValueError for a target that is no SIP or
    SIPS URI, KeyError when no socket of its transport is open.
    """
    command, agent, fresh = given.command, given.agent, given.fresh
    assert command is not None
    hop = next_hop(target, ())
    seq = fresh.initial_seq + 1
    fields = [
        ("Via", agent.local.via(hop.place, fresh.branch)),
        ("Max-Forwards", str(agent.profile.max_forwards)),
        ("From", f"<{agent.profile.from_uri}>;tag={fresh.tag}"),
        ("To", f"<{target_of_to(target)}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{seq} INVITE"),
        ("Contact", agent.local.contact(hop.place)),
        ("Allow", ", ".join(agent.profile.allow)),
    ]
    if agent.profile.supported:
        fields.append(("Supported", ", ".join(agent.profile.supported)))
    if agent.profile.user_agent:
        fields.append(("User-Agent", agent.profile.user_agent))
    fields.extend(command.fields)
    if command.body and not any(name.lower() == "content-type" for name, _ in command.fields):
        fields.append(("Content-Type", "application/sdp"))
    request = Request.build("INVITE", target, fields, command.body)
    data = request.encode()
    effects.append(ToClient("INVITE", fresh.branch, data, hop))
    key = client_key(fresh.branch, "INVITE")
    sent = SentInvite(key, fresh.branch, seq, without_body(data), bool(command.body), hop)
    usage = InviteUsage(
        usage_key(call_id, fresh.tag), PREPARATIVE, CALLER, owner, None, None, (), sent, None, (), command.body, False
    )
    enter(usage, given, timing, effects)
    return usage


def target_of_to(target: str) -> str:
    """Return a URI as the To header may carry it: without port, and without the parameters of table 1 (19.1.1)."""
    uri = Uri.parse(target)
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    return f"{uri.scheme}:{uri.user}@{host}" if uri.user else f"{uri.scheme}:{host}"


def _makes_dialog(usage: InviteUsage, response: Response) -> bool:
    """Tell whether the addresses of a response can be read, and a 2xx says where to reach the peer (12.1.2)."""
    try:
        _ = (response.from_, response.to, response.record_routes)
        reached = contact_uri(response)
    except HeaderError:
        return False
    if reached or response.status < 200:
        return True
    return any(fork is not None and fork.remote_tag == response.to_tag for fork in (usage.dialog, *usage.forks))


def receive(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a response to the INVITE that made the call.

    A 2xx that nobody could be reached by ends the call: it can't be acknowledged.
    """
    response: Response = given.message
    if response.status < 200:
        tagged = response.to_tag and response.status > 100 and _makes_dialog(usage, response)
        event = "R1XX" if tagged else "R1XX_UNTAGGED"
        return advance(usage, event, given, timing, effects)
    if response.status >= 300:
        return advance(usage, "R3XX_6XX", given, timing, effects)
    pending, before = usage.sent, usage.state
    if before in (PREPARATIVE, EARLY) and not _makes_dialog(usage, response):
        stand_in = Given(given.agent, given.fresh, command=Command("UNREADABLE", 502, "transport"))
        return advance(usage, "R3XX_6XX", stand_in, timing, effects)
    usage = advance(usage, "R2XX", given, timing, effects)
    if pending is None or before == MORATORIUM or usage.state != MORATORIUM:
        # In Moratorium already: the application was asked when the first 2xx came, and is asked once.
        return usage
    if pending.cancel:
        return advance(usage, "ACK_ENDS", given, timing, effects)
    late_offer = not pending.offered and response.body
    return advance(usage, "LATE_OFFER" if late_offer else "ACK_SENT", given, timing, effects)

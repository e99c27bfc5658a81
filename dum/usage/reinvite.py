"""Answering a re-INVITE: RFC 3261 section 14.2, the same for both roles, with the crossings of RFC 5407 section 3."""

from dum.effects import Effect, Tell, ToServer
from dum.events import Offered
from dum.message import Request
from dum.timers import Timing
from dum.usage.accepting import accepted, response_to_invite, terminated
from dum.usage.offer_answer import answer_to
from dum.usage.session import Command, Given, InviteUsage, ReceivedInvite

RETRY_AFTER_LIMIT = 10


def refusal(usage: InviteUsage, given: Given) -> tuple[int, tuple[tuple[str, str], ...]] | None:
    """Return why a re-INVITE can't be taken now, as status and header fields, or None when it can.

    500 with Retry-After while an earlier INVITE of the peer has no final response, 491 while one of ours is pending
    (14.2), 491 while the offer and answer of the first INVITE are not complete because the ACK that brings the answer
    was overtaken (RFC 5407 3.1.5), 481 once a BYE of ours is on its way (RFC 5407 3.2.2: the session has ended), 488
    for an offer that is to be answered here in a call without a session description of ours.
    """
    if usage.state == "Mortal" or usage.end_wanted:
        return 481, ()
    if usage.sent is not None:
        return 491, ()
    received = usage.received
    if received is not None and not received.response:
        seconds = int(given.fresh.tag[:4], 16) % (RETRY_AFTER_LIMIT + 1)
        return 500, (("Retry-After", str(seconds)),)
    if received is not None and received.wants_offer:
        return 491, ()
    unanswerable = given.agent.answers_offers and given.message.body and not usage.local_body
    return (488, ()) if unanswerable else None


def received_again(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a re-INVITE that is in order: the peer's earlier INVITE counts as acknowledged (RFC 5407 3.1.4).

    The application is told with `Offered`, or the answer is made here when it has no handler for that.
    """
    request: Request = given.message
    usage = usage.copy()
    usage.received = ReceivedInvite(given.server_key, request.cseq, not request.body, given.source, request)
    if given.agent.answers_offers:
        command = Command("ANSWER", body=answer_to(request.body, usage.local_body))
        accepted(usage, given.with_command(command), timing, effects)
    else:
        effects.append(Tell(usage.owner, Offered(usage.owner, request, request.body)))
    return usage


def answered(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Accept or refuse the waiting re-INVITE, as the application's command says; a refusal changes nothing (14.2)."""
    command = given.command
    assert command is not None
    assert usage.received is not None
    usage = usage.copy()
    if command.name == "ANSWER":
        accepted(usage, given, timing, effects)
        return usage
    received = usage.received
    assert received is not None
    status = command.status or 488
    response = response_to_invite(received, usage, given, status, command.body)
    effects.append(ToServer(received.key, status, response.encode()))
    usage.received = None
    return usage


def cancelled(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Answer the waiting re-INVITE with 487 because the peer has cancelled it; the session stays as it is (9.2)."""
    usage = usage.copy()
    terminated(usage, given, effects)
    return usage

"""The INVITE usage: one entry for each kind of event, dispatched to the caller's or the callee's figure.

Every function takes the record and returns the next one; a record in state Morgue is to be forgotten. RFC 3261
sections 12 to 15.
"""

from dum.dialog.dialog import Dialog, contact_uri, is_in_order
from dum.effects import Effect, ToServer
from dum.errors import Refused
from dum.fsm import Advance
from dum.message import HeaderError, Request, Response
from dum.timers import Timing
from dum.usage import callee, caller, reinvite
from dum.usage.accepting import acknowledged, own_fields, repeated
from dum.usage.session import CALLER, Given, InviteUsage

MORGUE = "Morgue"


def _advance(usage: InviteUsage) -> Advance:
    return caller.advance if usage.role == CALLER else callee.advance


def _respond(given: Given, status: int, effects: list[Effect], fields: tuple[tuple[str, str], ...] = ()) -> None:
    effects.append(ToServer(given.server_key, status, given.message.respond(status, fields=fields).encode()))


def _dialog_with(usage: InviteUsage, tag: str) -> Dialog | None:
    """Return the dialog of this set whose remote tag is `tag`, the From tag of a request (12.2.2)."""
    if usage.dialog is not None and usage.dialog.remote_tag == tag:
        return usage.dialog
    for fork in usage.forks:
        if fork.remote_tag == tag:
            return fork
    return None


def request(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a request within the dialog, other than ACK and CANCEL, that opened the server transaction given."""
    message: Request = given.message
    dialog = _dialog_with(usage, message.from_tag)
    if dialog is None:
        _respond(given, 481, effects)
        return usage
    if not is_in_order(dialog, message):
        _respond(given, 500, effects)
        return usage
    usage = usage.copy()
    if dialog is not usage.dialog:
        return _within_fork(usage, dialog, given, effects)
    usage.dialog = dialog.with_remote_seq(message.cseq)
    match message.method:
        case "BYE":
            return _advance(usage)(usage, "BYE", given, timing, effects)
        case "INVITE":
            return _reinvite(usage, given, timing, effects)
        case "OPTIONS":
            fields = own_fields(given, given.source)
            fields.append(("Accept", ", ".join(given.agent.profile.accept)))
            _respond(given, 200, effects, tuple(fields))
        case _:
            _respond(given, 405, effects, (("Allow", ", ".join(given.agent.profile.allow)),))
    return usage


def _within_fork(usage: InviteUsage, fork: Dialog, given: Given, effects: list[Effect]) -> InviteUsage:
    """Take a request within an early dialog beside the one that the call goes on with: its end concerns no other."""
    message: Request = given.message
    others = tuple(other for other in usage.forks if other is not fork)
    if message.method == "BYE":
        usage.forks = others
        _respond(given, 200, effects)
    else:
        usage.forks = (*others, fork.with_remote_seq(message.cseq))
        _respond(given, 491 if usage.sent is not None else 481, effects)
    return usage


def _reinvite(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a re-INVITE: the target is refreshed (12.2.2) unless it is refused."""
    refused = reinvite.refusal(usage, given)
    if refused is not None:
        _respond(given, refused[0], effects, refused[1])
        return usage
    if usage.state == "Moratorium":
        # Its sender has seen our 2xx, so the ACK is only late or lost (RFC 5407 3.1.4).
        usage = callee.advance(usage, "ACK_OVERTAKEN", given, timing, effects)
    try:
        target = contact_uri(given.message)
    except HeaderError:
        target = ""
    usage.dialog = usage.require_dialog().with_target(target)
    return reinvite.received_again(usage, given, timing, effects)


def ack(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take an ACK for a 2xx of ours; one that repeats or belongs to none of them changes nothing."""
    received = usage.received
    if received is None or not received.response or received.seq != given.message.cseq:
        return usage
    if _dialog_with(usage, given.message.from_tag) is None:
        return usage
    if usage.state == "Moratorium" and usage.role != CALLER:
        event = "ACK_ENDS" if usage.end_wanted else "ACK"
        return callee.advance(usage, event, given, timing, effects)
    usage = usage.copy()
    acknowledged(usage, given, timing, effects)
    return usage


def cancel(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a CANCEL whose own server transaction was answered: the INVITE is answered 487 if it still waits (9.2)."""
    received = usage.received
    if received is None or received.response:
        return usage
    if usage.state in (callee.PREPARATIVE, callee.EARLY) and usage.role != CALLER:
        return callee.advance(usage, "CANCEL", given, timing, effects)
    return reinvite.cancelled(usage, given, timing, effects)


def response(usage: InviteUsage, method: str, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take a response to a request of ours; `method` is the request's.

    `given.message` is None when none came: then `given.command` says what stands in for it (8.1.3.1).
    """
    message: Response | None = given.message
    if method == "INVITE" and usage.role == CALLER:
        if message is None:
            return caller.advance(usage, "R3XX_6XX", given, timing, effects)
        return caller.receive(usage, given, timing, effects)
    if method == "BYE" and (message is None or message.status >= 200):
        return _advance(usage)(usage, "BYE_DONE", given, timing, effects)
    return usage


def fire(
    usage: InviteUsage, letter: str, generation: int, given: Given, timing: Timing, effects: list[Effect]
) -> InviteUsage:
    """Take a timer of the usage: 2XX and NO_ACK of an accepted INVITE, C and CANCELLED of one that is not answered.

    One that comes too late, because it was stopped or replaced meanwhile, changes nothing.
    """
    if letter == "C":
        if usage.sent is not None and usage.sent.provisionals == generation:
            return caller.advance(usage, "TIMER_C", given, timing, effects)
        return usage
    if letter == "CANCELLED":
        if usage.sent is not None and usage.sent.seq == generation:
            return caller.advance(usage, "CANCELLED", given, timing, effects)
        return usage
    received = usage.received
    if received is None or not received.response:
        return usage
    if letter == "2XX" and generation == received.retransmissions:
        usage = usage.copy()
        repeated(usage, timing, effects)
    elif letter == "NO_ACK" and generation == received.seq:
        return _advance(usage)(usage, "NO_ACK", given, timing, effects)
    return usage


def command(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Do what the application asks; raises `Refused` when the call is not in a state for it.

    An end of a call that is already ending changes nothing: that race is natural.
    """
    wanted = given.command
    assert wanted is not None
    waiting = usage.received is not None and not usage.received.response
    if usage.state == "Established" and wanted.name in ("ANSWER", "REJECT") and waiting:
        return reinvite.answered(usage, given, timing, effects)
    if wanted.name == "END" and usage.state in ("Mortal", MORGUE):
        return usage
    if usage.role == CALLER and wanted.name in ("RING", "REJECT"):
        raise Refused(f"can't {wanted.name.lower()} a call that was placed here")
    after = _advance(usage)(usage, wanted.name, given, timing, effects)
    if after is usage:
        raise Refused(f"can't {wanted.name.lower()} a call in state {usage.state}")
    return after


def invite_transaction_ended(usage: InviteUsage) -> InviteUsage:
    """Forget what only more 2xx of the INVITE could need: its ACKs, and forks that never answered (13.2.2.4)."""
    if not usage.acks and not usage.forks:
        return usage
    usage = usage.copy()
    usage.acks = ()
    usage.forks = ()
    return usage


def unreachable(usage: InviteUsage, key: str, given: Given, timing: Timing, effects: list[Effect]) -> InviteUsage:
    """Take the news that a response to the INVITE of server transaction `key` could not be sent (17.2.4).

    A call that is not answered yet ends; a 2xx goes out again with its next retransmission.
    """
    if usage.role == CALLER or usage.received is None or usage.received.key != key:
        return usage
    return callee.advance(usage, "UNREACHABLE", given, timing, effects)

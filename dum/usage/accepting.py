"""The 2xx of the UAS core: sent by the usage, retransmitted by it until the ACK, given up after 64*T1 (13.3.1.4).

It is the same for the INVITE that makes a call and for a re-INVITE within it, over every transport.
"""

from typing import Any

from dum.effects import Effect, Hop, Send, StartTimer, StopTimer, ToServer
from dum.message import Response
from dum.timers import Timing
from dum.usage.session import Given, InviteUsage, ReceivedInvite


def place_of(destination: Any) -> str:
    """Return the place, as profile.Local names them, that what is sent to a flow or hop leaves by."""
    if isinstance(destination, Hop):
        return destination.place
    transport: str = destination.transport
    return transport + "6" if ":" in destination.remote.host else transport


def own_fields(given: Given, destination: Any) -> list[tuple[str, str]]:
    """Return the header fields that every dialog-forming response of ours has: Contact, Allow, Supported, Server."""
    profile = given.agent.profile
    fields = [("Contact", given.agent.local.contact(place_of(destination))), ("Allow", ", ".join(profile.allow))]
    if profile.supported:
        fields.append(("Supported", ", ".join(profile.supported)))
    if profile.user_agent:
        fields.append(("Server", profile.user_agent))
    return fields


def response_to_invite(
    received: ReceivedInvite, usage: InviteUsage, given: Given, status: int, body: bytes
) -> Response:
    """Build our response to a waiting INVITE: the local tag, our Contact, and what the application wants added."""
    assert received.request is not None, "an INVITE is answered once"
    command = given.command
    fields: list[tuple[str, str]] = []
    if status < 300:
        fields = own_fields(given, received.destination)
    if command is not None:
        fields.extend(command.fields)
    if body and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", "application/sdp"))
    return received.request.respond(
        status,
        command.reason if command is not None else None,
        to_tag=usage.require_dialog().local_tag,
        fields=fields,
        body=body,
    )


def accepted(usage: InviteUsage, given: Given, timing: Timing, effects: list[Effect]) -> None:
    """Send the 2xx with the body of the command, and keep its bytes until the ACK (13.3.1.4)."""
    received, command = usage.received, given.command
    assert received is not None
    assert command is not None
    body = command.body
    status = command.status or 200
    data = response_to_invite(received, usage, given, status, body).encode()
    effects.append(ToServer(received.key, status, data))
    effects.append(StartTimer(usage.key, "2XX", timing.t1, 0))
    effects.append(StartTimer(usage.key, "NO_ACK", timing.timer_h, received.seq))
    usage.received = received.accepted(data)
    usage.local_body = body
    usage.dialog = usage.require_dialog().confirmed()


def terminated(usage: InviteUsage, given: Given, effects: list[Effect]) -> None:
    """Answer 487 an INVITE that still waits, because it was cancelled or its dialog ends (9.2, 15.1.2)."""
    received = usage.received
    if received is None or received.response:
        return
    response = response_to_invite(received, usage, Given(given.agent, given.fresh), 487, b"")
    effects.append(ToServer(received.key, 487, response.encode()))
    usage.received = None


def repeated(usage: InviteUsage, timing: Timing, effects: list[Effect]) -> None:
    """Send the 2xx once more and wait twice as long, at most T2."""
    received = usage.received
    assert received is not None
    count = received.retransmissions + 1
    effects.append(Send(received.destination, received.response))
    effects.append(StartTimer(usage.key, "2XX", timing.doubled_to_t2(count), count))
    usage.received = received.accepted(received.response, count)


def acknowledged(usage: InviteUsage, _given: Given, _timing: Timing, effects: list[Effect]) -> None:
    """Stop repeating the 2xx: its ACK has come."""
    repetition_stopped(usage, effects)


def repetition_stopped(usage: InviteUsage, effects: list[Effect]) -> None:
    """Stop the timers of an accepted INVITE and forget it."""
    effects.append(StopTimer(usage.key, "2XX"))
    effects.append(StopTimer(usage.key, "NO_ACK"))
    usage.received = None

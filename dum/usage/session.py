"""The record of an INVITE usage with its dialog set, and what a step of it is given."""

from typing import Any

from dum.dialog.dialog import Dialog
from dum.effects import Hop
from dum.ids import Fresh
from dum.message import Request
from dum.profile import Local, Profile

CALLER = "caller"
CALLEE = "callee"


class SentInvite:
    """An INVITE of ours that has no final response yet: what its ACK and CANCEL will need.

    `header` is the INVITE without its body, `offered` tells whether it had one. `provisionals` counts the 1xx that have
    come, without one of which no CANCEL may be sent (RFC 3261 9.1); it is the generation of timer C. `cancel` is ""
    until the application wants it cancelled, then "wanted", then "sent".
    """

    __slots__ = ("branch", "cancel", "destination", "header", "key", "offered", "provisionals", "seq")

    def __init__(
        self,
        key: str,
        branch: str,
        seq: int,
        header: bytes,
        offered: bool,
        destination: Hop,
        provisionals: int = 0,
        cancel: str = "",
    ) -> None:
        self.key = key
        self.branch = branch
        self.seq = seq
        self.header = header
        self.offered = offered
        self.destination = destination
        self.provisionals = provisionals
        self.cancel = cancel

    def with_progress(self, provisionals: int, cancel: str) -> "SentInvite":
        """Return the same INVITE a step further."""
        return SentInvite(
            self.key, self.branch, self.seq, self.header, self.offered, self.destination, provisionals, cancel
        )


class ReceivedInvite:
    """An INVITE of the peer that is not acknowledged yet: its server transaction, and our 2xx once there is one.

    `request` is None and `response` the encoded 2xx after it was accepted: bytes are what retransmission needs.
    """

    __slots__ = ("destination", "key", "request", "response", "retransmissions", "seq", "wants_offer")

    def __init__(
        self,
        key: str,
        seq: int,
        wants_offer: bool,
        destination: Any,
        request: Request | None,
        response: bytes = b"",
        retransmissions: int = 0,
    ) -> None:
        self.key = key
        self.seq = seq
        self.wants_offer = wants_offer
        self.destination = destination
        self.request = request
        self.response = response
        self.retransmissions = retransmissions

    def accepted(self, response: bytes, retransmissions: int = 0) -> "ReceivedInvite":
        """Return the same INVITE after its 2xx was sent this many times more than once."""
        return ReceivedInvite(self.key, self.seq, self.wants_offer, self.destination, None, response, retransmissions)


class SentAck:
    """The ACK of one 2xx, kept as bytes to be sent again whenever that 2xx is (RFC 3261 13.2.2.4)."""

    __slots__ = ("data", "destination", "remote_tag", "seq")

    def __init__(self, remote_tag: str, seq: int, data: bytes, destination: Hop) -> None:
        self.remote_tag = remote_tag
        self.seq = seq
        self.data = data
        self.destination = destination


class InviteUsage:
    """One INVITE usage and the dialog set it lives in; immutable by convention, replaced at every step.

    `key` names it in the map of usages, `state` is RFC 5407's, `role` is CALLER or CALLEE, `owner` the opaque handle of
    the application. `dialog` is the confirmed dialog, or the early one while there is just one; `forks` are the other
    early dialogs of a caller. `local_body` is the session description we last sent. `end_wanted` remembers an end that
    the RFC does not allow yet (a callee's BYE before the ACK, section 15).
    """

    __slots__ = (
        "acks",
        "dialog",
        "end_wanted",
        "flow",
        "forks",
        "key",
        "local_body",
        "owner",
        "received",
        "role",
        "sent",
        "state",
    )

    def __init__(
        self,
        key: str,
        state: str,
        role: str,
        owner: Any,
        flow: Any,
        dialog: Dialog | None,
        forks: tuple[Dialog, ...],
        sent: SentInvite | None,
        received: ReceivedInvite | None,
        acks: tuple[SentAck, ...],
        local_body: bytes,
        end_wanted: bool,
    ) -> None:
        self.key = key
        self.state = state
        self.role = role
        self.owner = owner
        self.flow = flow
        self.dialog = dialog
        self.forks = forks
        self.sent = sent
        self.received = received
        self.acks = acks
        self.local_body = local_body
        self.end_wanted = end_wanted

    def copy(self) -> "InviteUsage":
        """Return a new record with the same fields."""
        return InviteUsage(
            self.key,
            self.state,
            self.role,
            self.owner,
            self.flow,
            self.dialog,
            self.forks,
            self.sent,
            self.received,
            self.acks,
            self.local_body,
            self.end_wanted,
        )

    def require_dialog(self) -> Dialog:
        """Return the dialog of a state in which there is always one."""
        assert self.dialog is not None, f"{self.key}: no dialog in state {self.state}"
        return self.dialog


class Agent:
    """What every step of every usage is given of its surroundings: configuration and addresses, never changing."""

    __slots__ = ("answers_offers", "local", "profile")

    def __init__(self, profile: Profile, local: Local, *, answers_offers: bool = True) -> None:
        self.profile = profile
        self.local = local
        self.answers_offers = answers_offers


class Given:
    """What comes with one event: identifiers to use up, the message or command, and where a request came from.

    `source` is where its responses go (18.2.2), `flow` the flow it came by, for requests in the other direction.
    """

    __slots__ = ("agent", "command", "flow", "fresh", "message", "server_key", "source")

    def __init__(
        self,
        agent: Agent,
        fresh: Fresh,
        message: Any = None,
        *,
        command: "Command | None" = None,
        server_key: str = "",
        source: Any = None,
        flow: Any = None,
    ) -> None:
        self.agent = agent
        self.fresh = fresh
        self.message = message
        self.command = command
        self.server_key = server_key
        self.source = source
        self.flow = flow

    def with_command(self, command: "Command") -> "Given":
        """Return the same event with a command that follows from it."""
        return Given(
            self.agent,
            self.fresh,
            self.message,
            command=command,
            server_key=self.server_key,
            source=self.source,
            flow=self.flow,
        )


class Command:
    """What an application asks of a call: `name` is the event of the figure (RING, ANSWER, REJECT, END)."""

    __slots__ = ("body", "fields", "name", "reason", "status")

    def __init__(
        self,
        name: str,
        status: int = 0,
        reason: str | None = None,
        body: bytes = b"",
        fields: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.name = name
        self.status = status
        self.reason = reason
        self.body = body
        self.fields = fields


def usage_key(call_id: str, local_tag: str) -> str:
    """Return the name of the dialog set with this Call-ID and local tag, for both roles."""
    return f"u{local_tag} {call_id}"

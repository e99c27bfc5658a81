"""The dialog of RFC 3261 section 12: one record with exactly its components, one function for each subsection."""

from dum.effects import Hop
from dum.message import NameAddress, Request, Response, Uri


class Dialog:
    """The state that two user agents share (RFC 3261 section 12), from the side of one of them.

    `local_uri` and `remote_uri` are name-addr texts without tags; `remote_target` and each member of `route_set` is
    text as well. `local_seq` and `remote_seq` are None while empty. `early` tells an early dialog from a confirmed one.
    Immutable by convention: the functions below make a new one.
    """

    __slots__ = (
        "call_id",
        "early",
        "local_seq",
        "local_tag",
        "local_uri",
        "remote_seq",
        "remote_tag",
        "remote_target",
        "remote_uri",
        "route_set",
        "secure",
    )

    def __init__(
        self,
        call_id: str,
        local_tag: str,
        remote_tag: str,
        local_seq: int | None,
        remote_seq: int | None,
        local_uri: str,
        remote_uri: str,
        remote_target: str,
        route_set: tuple[str, ...],
        secure: bool,
        early: bool,
    ) -> None:
        self.call_id = call_id
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.local_seq = local_seq
        self.remote_seq = remote_seq
        self.local_uri = local_uri
        self.remote_uri = remote_uri
        self.remote_target = remote_target
        self.route_set = route_set
        self.secure = secure
        self.early = early

    def _with(self, local_seq: int | None, remote_seq: int | None, remote_target: str, early: bool) -> "Dialog":
        return Dialog(
            self.call_id,
            self.local_tag,
            self.remote_tag,
            local_seq,
            remote_seq,
            self.local_uri,
            self.remote_uri,
            remote_target,
            self.route_set,
            self.secure,
            early,
        )

    def with_local_seq(self, local_seq: int) -> "Dialog":
        """Return the dialog after a request with this CSeq number was sent (12.2.1.1)."""
        return self._with(local_seq, self.remote_seq, self.remote_target, self.early)

    def with_remote_seq(self, remote_seq: int) -> "Dialog":
        """Return the dialog after a request with this CSeq number was received (12.2.2)."""
        return self._with(self.local_seq, remote_seq, self.remote_target, self.early)

    def with_target(self, remote_target: str) -> "Dialog":
        """Return the dialog after a target refresh (12.2.1.2, 12.2.2); the same one when nothing changes."""
        if remote_target in ("", self.remote_target):
            return self
        return self._with(self.local_seq, self.remote_seq, remote_target, self.early)

    def confirmed(self) -> "Dialog":
        """Return the dialog as a confirmed one (12.1: a 2xx has been sent or received)."""
        return self._with(self.local_seq, self.remote_seq, self.remote_target, False) if self.early else self


def contact_uri(message: Request | Response) -> str:
    """Return the URI of the first Contact value, or "" when there is none; HeaderError when it can't be read."""
    contacts = message.contacts
    return str(contacts[0].uri) if contacts else ""


def _without_tag(address: NameAddress) -> str:
    return str(address.without_parameter("tag"))


def by_callee(request: Request, local_tag: str, *, secure: bool = False) -> Dialog:
    """Make the early dialog of a UAS from the request that creates it (RFC 3261 12.1.1)."""
    return Dialog(
        request.call_id,
        local_tag,
        request.from_tag,
        None,
        request.cseq,
        _without_tag(request.to),
        _without_tag(request.from_),
        contact_uri(request),
        tuple(str(route) for route in request.record_routes),
        secure,
        True,
    )


def by_caller(response: Response, *, local_seq: int, secure: bool = False) -> Dialog:
    """Make the dialog of a UAC from a response with a To tag (RFC 3261 12.1.2)."""
    return Dialog(
        response.call_id,
        response.from_tag,
        response.to_tag,
        local_seq,
        None,
        _without_tag(response.from_),
        _without_tag(response.to),
        contact_uri(response),
        tuple(str(route) for route in reversed(response.record_routes)),
        secure,
        response.status < 200,
    )


def route_set_of_2xx(dialog: Dialog, response: Response) -> Dialog:
    """Return the dialog confirmed by a 2xx, whose Record-Route replaces the early route set (13.2.2.4)."""
    return Dialog(
        dialog.call_id,
        dialog.local_tag,
        dialog.remote_tag,
        dialog.local_seq,
        dialog.remote_seq,
        dialog.local_uri,
        dialog.remote_uri,
        contact_uri(response) or dialog.remote_target,
        tuple(str(route) for route in reversed(response.record_routes)),
        dialog.secure,
        False,
    )


def is_in_order(dialog: Dialog, request: Request) -> bool:
    """Tell whether a request's CSeq number is above the last one of the peer (12.2.2); ACK and CANCEL are not asked."""
    return dialog.remote_seq is None or request.cseq > dialog.remote_seq


def next_hop(target: str, route_set: tuple[str, ...], flow: object = None) -> Hop:
    """Return where a request goes: the first route if there is one, else the target (8.1.2, 12.2.1.1).

    Raises ValueError when the text is no SIP or SIPS URI.
    """
    uri = NameAddress.parse(route_set[0]).uri if route_set else Uri.parse(target)
    if uri.scheme not in ("sip", "sips"):
        raise ValueError(f"can't send to {str(uri)!r}: only sip: and sips: URIs have a next hop")
    transport = (uri.transport or ("TLS" if uri.secure else "UDP")).upper()
    if uri.secure:
        transport = {"TCP": "TLS", "WS": "WSS"}.get(transport, transport)
    return Hop(transport, uri.maddr or uri.host, uri.port or 0, flow)

"""Requests within a dialog: RFC 3261 section 12.2.1.1, from a dialog to encoded bytes."""

from collections.abc import Sequence

from dum.dialog.dialog import Dialog, next_hop
from dum.effects import Hop
from dum.message import NameAddress, Request, Uri
from dum.profile import Local, Profile


def _target_and_routes(dialog: Dialog) -> tuple[str, tuple[str, ...]]:
    """Return Request-URI and Route values: loose routing when the first route has lr, else strict (12.2.1.1)."""
    routes, target = dialog.route_set, dialog.remote_target
    if not routes:
        return _as_request_uri(target), ()
    uri = NameAddress.parse(routes[0]).uri
    if uri.lr:
        return _as_request_uri(target), routes
    return _as_request_uri(str(uri)), (*routes[1:], f"<{target}>")


def _as_request_uri(text: str) -> str:
    """Return a URI without what a Request-URI may not have: headers and the method parameter (19.1.1, table 1)."""
    if "?" not in text and "method" not in text.lower():
        return text
    return str(Uri.parse(text).without_headers().without_parameter("method"))


def hop_of(dialog: Dialog, flow: object = None) -> Hop:
    """Return where requests within the dialog go next; ValueError when its target can't be sent to."""
    return next_hop(dialog.remote_target, dialog.route_set, flow)


def request_within(
    dialog: Dialog,
    method: str,
    seq: int,
    branch: str,
    hop: Hop,
    local: Local,
    profile: Profile,
    fields: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> Request:
    """Build a request within `dialog` that goes out by `hop` (RFC 3261 12.2.1.1).

    `seq` is the CSeq number: the caller counts it up, except for ACK and CANCEL, which repeat their INVITE's. Raises
    KeyError when no socket of the hop's transport is open, ValueError when a field value can't be sent.
    """
    target, routes = _target_and_routes(dialog)
    remote_tag = f";tag={dialog.remote_tag}" if dialog.remote_tag else ""
    lines = [
        ("Via", local.via(hop.place, branch)),
        ("Max-Forwards", str(profile.max_forwards)),
        ("From", f"{dialog.local_uri};tag={dialog.local_tag}"),
        ("To", dialog.remote_uri + remote_tag),
        ("Call-ID", dialog.call_id),
        ("CSeq", f"{seq} {method}"),
    ]
    lines += [("Route", route) for route in routes]
    if method in ("INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"):
        lines.append(("Contact", local.contact(hop.place)))
    lines += fields
    return Request.build(method, target, lines, body)

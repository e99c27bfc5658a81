"""Where a response goes: RFC 3261 section 18.2.2 with RFC 3581, from the top Via and the flow the request came by."""

from typing import Any

from dum.effects import Hop
from dum.message import HeaderError, Request


def destination_of(request: Request, flow: Any) -> Any:
    """Return the flow or hop for responses to `request`, which has passed `with_received` already.

    A reliable transport answers on the same connection. Over UDP: to maddr when the Via has it; to the source port when
    rport was asked for; else to the port of sent-by at the source address. Pure; a Via that can't be read goes back to
    where it came from.
    """
    if flow.reliable:
        return flow
    try:
        via = request.top_via
        asked_for_source = via.rport is not None
    except HeaderError:
        return flow
    port = via.port or 5060
    if via.maddr:
        return Hop("UDP", via.maddr, port, flow)
    if asked_for_source or port == flow.remote.port:
        return flow
    return Hop("UDP", flow.remote.host, port, flow)

"""The deeper validation of a new request: every typed header that is present must read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dum.message.errors import HeaderError
from dum.message.malformed import Malformed

if TYPE_CHECKING:
    from dum.message.request import Request


def check_request(request: Request) -> Malformed | None:
    """The first fault of a request beyond its routing fields, None when there is none."""
    try:
        _read_all(request)
    except HeaderError as error:
        return Malformed(request.encode(), error.status, error.reason, error.header)
    return None


def _read_all(request: Request) -> None:
    if request.uri.headers:
        raise HeaderError("Request-URI With Headers")
    _ = (request.vias, request.from_, request.to, request.routes, request.record_routes)
    _ = (request.max_forwards, request.expires)
    if request.contact_is_star and request.method == "REGISTER" and request.expires != 0:
        raise HeaderError("Contact * Needs Expires 0", "Contact")
    _ = request.contacts

"""The deeper validation of a new request: every typed header that is present must read.

As in ``typical``, one pattern first finds the usual request sound in a single call; only what it does not match is read
header by header, which also finds the words for what is wrong. The pattern accepts less than the readers do, and a test
holds it to that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dum.message.errors import HeaderError
from dum.message.grammar import TOKEN
from dum.message.malformed import Malformed
from dum.message.typical import PORT, QUOTED_LINE, either_case

if TYPE_CHECKING:
    from dum.message.request import Request

_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9.\-]*+(?<=[A-Za-z0-9])|\[[0-9A-Fa-f:.]++\])"
_NAME = r"[A-Za-z0-9\-_.!~*+$/:]++"
_URI = rf"[Ss][Ii][Pp][Ss]?:(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]++@)?{_HOST}{PORT}(?:;{_NAME}(?:={_NAME})?)*+"
# Without angle brackets semicolons are the header's own, and parentheses might be a comment's.
_BARE_URI = rf"[Ss][Ii][Pp][Ss]?:(?:[A-Za-z0-9\-_.!~*'&=+$/]++@)?{_HOST}{PORT}"
_PARAMETERS = rf"(?:[ ]?;[ ]?{TOKEN}++(?:=(?:{TOKEN}++|{QUOTED_LINE}|\[[0-9A-Fa-f:.]++\]))?)*+"
_ADDRESS = rf"(?:(?:{QUOTED_LINE}[ ]*+|[^\"<>,;\\()\r\n]*+)<{_URI}>|{_BARE_URI}){_PARAMETERS}"
_VIA = rf"SIP/2\.0/[A-Za-z]++[ ]{_HOST}{PORT}{_PARAMETERS}"
_NAMES = ("via", "v", "from", "f", "to", "t", "contact", "m", "route", "record-route", "max-forwards", "expires")
_LINES = (
    rf"Via:[ ]{_VIA}(?:[ ]?,[ ]?{_VIA})*+",
    rf"(?:From|To):[ ]{_ADDRESS}",
    rf"(?:Contact|Route|Record-Route):[ ]{_ADDRESS}(?:[ ]?,[ ]?{_ADDRESS})*+",
    r"Max-Forwards:[ ](?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})(?![0-9])",
    r"Expires:[ ][0-9]{1,9}",
    r"C(?:all-ID|Seq|ontent-[A-Za-z]++):[^\r\n]*+",
    rf"[ABDGHJKNOPQSUWXYZ]{TOKEN}*+:[^\r\n]*+",
    rf"(?!(?:{'|'.join([either_case(name) for name in _NAMES])})[ \t]*+:){TOKEN}++[ \t]*+:[^\r\n]*+",
)
_SOUND = re.compile(rf"{TOKEN}++[ ]{_URI}[ ]SIP/2\.0(?:\r\n(?:{'|'.join(_LINES)}))*+\Z")


def check_request(request: Request) -> Malformed | None:
    """The first fault of a request beyond its routing fields, None when there is none."""
    return None if is_sound(request.encode()) else fault_of(request)


def is_sound(data: bytes) -> bool:
    """Whether the request is laid out as usual and without fault; False says only that it must be read."""
    head = data[: data.index(b"\r\n\r\n")]
    return _SOUND.match(head.decode("utf-8", "surrogateescape")) is not None


def fault_of(request: Request) -> Malformed | None:
    """The first fault found by reading every header, the pattern left aside."""
    try:
        _read_all(request)
    except HeaderError as error:
        # Not the exception itself: handed up, it would make a cycle with the frames in its traceback.
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

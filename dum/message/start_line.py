"""The start line: Request-Line and Status-Line (RFC 3261 sections 7.1 and 7.2)."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.grammar import is_token

_REQUEST_LINE = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+) ([^\s<>\"\x00-\x1f\x7f]+) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.S)
_VERSION = re.compile(r"[Ss][Ii][Pp]/[0-9]+\.[0-9]+", re.A)


def read_request_line(line: str, longest: int) -> tuple[str, str]:
    """Method and Request-URI. Raises HeaderError: 505 for another version, 414 for a URI over ``longest``, else 400."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        return _read_odd_request_line(line, longest)
    if len(match[2]) > longest:
        raise HeaderError("Request-URI Too Long", "", 414)
    return match[1], match[2]


def _read_odd_request_line(line: str, longest: int) -> tuple[str, str]:
    parts = line.split(" ")
    version = parts[-1]
    if len(parts) == 3 and _VERSION.fullmatch(version) and version[4:] != "2.0" and is_token(parts[0]):
        raise HeaderError("Version Not Supported", "", 505)
    if len(parts) == 3 and version.upper() == "SIP/2.0" and version != "SIP/2.0":
        return read_request_line(f"{parts[0]} {parts[1]} SIP/2.0", longest)
    raise HeaderError("Bad Request-Line")


def read_status_line(line: str) -> int:
    """The status code, 100 to 699. Raises HeaderError."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        if line[:4].upper() == "SIP/" and line[:4] != "SIP/":
            return read_status_line("SIP/" + line[4:])
        raise HeaderError("Bad Status-Line")
    return int(match[1])


def is_status_line(line: str) -> bool:
    """Whether the start line is, or means to be, that of a response."""
    return line[:4].upper() == "SIP/"

"""parse: from bytes to a Request, a Response, or a Malformed that says what is wrong."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.fields import raw_lines
from dum.message.limits import DEFAULT, Limits
from dum.message.malformed import Malformed
from dum.message.request import Request
from dum.message.response import Response
from dum.message.routing import read_routing
from dum.message.start_line import is_status_line, read_request_line, read_status_line
from dum.message.typical import Typical, read_typical, shared_method

_CALL_ID = re.compile(rb"\r\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|[Ii])\s*+:\s*+([^\s]*)")


def parse(data: bytes, *, stream: bool = False, limits: Limits = DEFAULT) -> Request | Response | Malformed:
    """Read one message; what breaks the grammar comes back as Malformed, nothing is ever raised for it.

    ``data`` is one datagram, or (``stream=True``) one message cut from a stream by its Content-Length, which must
    then be present. Line ends before the start line are skipped (RFC 3261 section 7.5). In a datagram, octets after
    the body are dropped, and a missing Content-Length means that the body runs to the end (section 18.3). Checked
    here: start line, that each header line is one, and what the message is filed under; ``Request.check`` does the
    rest. Costs time proportional to ``len(data)``.
    """
    try:
        return _parse(data, stream, limits)
    except HeaderError as error:
        return Malformed(data, error.status, error.reason, error.header)


def _parse(data: bytes, stream: bool, limits: Limits) -> Request | Response:
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n")
    head = data[:end].decode("utf-8", "surrogateescape")
    typical = read_typical(head) if 0 < end <= limits.unquestioned and len(data) <= limits.message else None
    method, status, call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by, length = typical or _read_any(
        data, end, limits
    )
    if length != len(data) - end - 4:
        data = _cut_body(data, end + 4, length, stream)
    if method:
        return Request(data, method, call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by, typical is not None)
    return Response(data, status, call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by)


def _read_any(data: bytes, end: int, limits: Limits) -> Typical:
    if len(data) > limits.message:
        raise HeaderError("Message Too Large", "", 513)
    if end < 0:
        raise HeaderError("Missing Empty Line")
    head = data[:end].decode("utf-8", "surrogateescape")
    if end > limits.line:
        _check_head(head, end, limits)
    line = head.partition("\r\n")[0]
    status = 0
    method = ""
    if is_status_line(line):
        status = read_status_line(line)
    else:
        method = shared_method(read_request_line(line, limits.uri)[0])
    return method, status, *read_routing(head, method, limits.fields)


def _check_head(head: str, size: int, limits: Limits) -> None:
    if size > limits.head or any(len(line) > limits.line for line in raw_lines(head)):
        raise HeaderError("Header Too Large", "", 513)


def _cut_body(data: bytes, start: int, length: int, stream: bool) -> bytes:
    if length < 0:
        if stream:
            raise HeaderError("Missing Content-Length", "Content-Length")
        return data
    if length > len(data) - start:
        raise HeaderError("Body Shorter Than Content-Length", "Content-Length")
    return data[: start + length]


def peek_call_id(data: bytes) -> bytes:
    """The Call-ID of an encoded message without parsing it; b"" when none is found. For hashing only."""
    start = data.find(b"\r\nCall-ID: ")
    if start > 0:
        end = data.find(b"\r\n", start + 11)
        value = data[start + 11 : end].strip()
        if value and 0 < end <= data.find(b"\r\n\r\n"):
            return value
    match = _CALL_ID.search(data)
    return match[1] if match else b""

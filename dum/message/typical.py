"""The head that nearly every message has, read by one pattern in one call.

A message is read here if each of its header lines is spelt and laid out as is usual; then the single match yields every
routing field and proves as well that each line is a header line, that no single header occurs twice, and that what
decides routing follows its grammar. Anything else (folding, compact forms, odd spacing, a header missing or repeated)
does not match, and goes the long way through ``routing``, which also finds the words for what is wrong. The two must
never disagree: a test holds them against each other on grammar-made messages.

Why one pattern: a compiled pattern is a mortal object that all threads share, and every use of it costs two atomic
counts; a loop over lines with tables and patterns of its own pays that ten times over, and the interpreter's steps too.
"""

from __future__ import annotations

import re

from dum.message.grammar import TOKEN

QUOTED_LINE = r'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"'
_ADDRESS = rf"""(?:(?:{QUOTED_LINE}[ ]*+|[^"<>,;\\\r\n]*+)<[^<>"\s]++>|[A-Za-z]++:[^\s<>";,?]++)"""
_PORT = "[1-5][0-9]{4}|6[0-4][0-9]{3}|[1-9][0-9]{0,3}"
PORT = f"(?::(?:{_PORT})(?![0-9]))?"
_REST = r"[A-Za-z0-9\-.]++(?:=[A-Za-z0-9\-.:]++)?"
# Group numbers, since a conditional may not look ahead to a group by its name.
_HOST, _FROM, _TO, _CALL_ID, _CSEQ, _LENGTH, _FORWARDS = 3, 6, 8, 10, 11, 13, 14
_ROUTING_NAMES = (
    "via",
    "v",
    "from",
    "f",
    "to",
    "t",
    "call-id",
    "i",
    "cseq",
    "content-length",
    "l",
    "max-forwards",
    "record-route",
)


def either_case(name: str) -> str:
    """A pattern for the name in any mixture of cases; re.IGNORECASE would make every other part slower."""
    return "".join([f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in name])


def _once(group: int, pattern: str) -> str:
    """The pattern, unless the group has matched before: a repeated header then fails the whole match."""
    return rf"(?({group})(?!)|{pattern})"


_OTHER_THAN_ROUTING = rf"(?!(?:{'|'.join([either_case(name) for name in _ROUTING_NAMES])})[ \t]*+:)"
_LINES = (
    # A Via below the top one needs only to be there.
    rf"Via:[ ](?({_HOST})[^\r\n]*+|SIP/2\.0/[A-Z]++[ ]([A-Za-z0-9][A-Za-z0-9.\-]*+(?<=[A-Za-z0-9]))"
    rf"(?::({_PORT})(?![0-9]))?"
    rf"(?:;rport(?:=[0-9]++)?)?;branch=([^\s;,\"=<>]++)(?:;(?![Bb][Rr]){_REST})*+)",
    "From:[ ]" + _once(_FROM, rf"{_ADDRESS}()(?:;tag=([^\s;,\"=\[<>]++))?(?:;(?![Tt][Aa][Gg]){_REST})*+"),
    "To:[ ]" + _once(_TO, rf"{_ADDRESS}()(?:;tag=([^\s;,\"=\[<>]++))?(?:;(?![Tt][Aa][Gg]){_REST})*+"),
    "Call-ID:[ ]" + _once(_CALL_ID, r"([^\s\x00-\x20]++)"),
    "CSeq:[ ]" + _once(_CSEQ, rf"([0-9]{{1,9}})[ ]({TOKEN}++)"),
    # Not for routing, but copied into responses, where its spelling must be known.
    "Record-Route:[^\r\n]*+",
    "Cont(?:act|ent-Type|ent-Disposition):[^\r\n]*+",
    "Content-Length:[ ]" + _once(_LENGTH, "([0-9]{1,9})"),
    "Max-Forwards:[ ]" + _once(_FORWARDS, "()[0-9]++"),
    # First those whose first letter tells them from all of the above.
    rf"[ABDEGHJKNOPQSUWXYZ]{TOKEN}*+:[^\r\n]*+",
    rf"{_OTHER_THAN_ROUTING}{TOKEN}++[ \t]*+:[^\r\n]*+",
)
_TYPICAL = re.compile(
    rf"""(?:({TOKEN}++)[ ][^\s<>"\x00-\x1f\x7f]++[ ]SIP/2\.0|SIP/2\.0[ ]([1-6][0-9][0-9])[ ][^\r\n]*+)"""
    rf"(?:\r\n(?:{'|'.join(_LINES)}))*+\Z",
    re.A,
)

Typical = tuple[str, int, str, int, str, str, str, str, str, int]
"""method, status, call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by, content_length (-1 when none)."""


def read_typical(head: str) -> Typical | None:
    """Start line and routing fields of a head (without its final CRLF) that is laid out as usual, else None."""
    match = _TYPICAL.match(head)
    if match is None:
        return None
    (method, status, host, port, branch, source, from_tag, target, to_tag, call_id, cseq, cseq_method, length, _) = (
        match.groups()
    )
    if host is None or source is None or target is None or call_id is None or cseq is None:
        return None
    if method is None:
        method = ""
        cseq_method = shared_method(cseq_method)
    else:
        if method != cseq_method:
            return None
        method = cseq_method = shared_method(method)
    return (
        method,
        int(status) if status else 0,
        call_id,
        int(cseq),
        cseq_method,
        from_tag or "",
        to_tag or "",
        branch,
        host.lower() if port is None else f"{host.lower()}:{port}",
        int(length) if length else -1,
    )


def shared_method(method: str) -> str:
    """The method, as the one constant that threads share for nothing if it is a method of RFC 3261 or an extension."""
    for known in ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO", "NOTIFY"):
        if method == known:
            return known
    for known in ("SUBSCRIBE", "MESSAGE", "REFER", "PUBLISH"):
        if method == known:
            return known
    return method


# An rport that has a value already, or a received of the sender's own, is for the long way.
_FILLED = f"{either_case('received')}|{either_case('rport')}="
_TOP_VIA = re.compile(
    (
        r"""\r\n[Vv](?:[Ii][Aa])?\s*+:(?:[ \t]*+SIP/2\.0/[A-Za-z]++ [^\s;,"<>]++(?<!:)"""
        rf"""((?:;(?!{_FILLED})[^\s;,"=<>]++(?:=[^\s;,"<>]*+)?)*+)(?=\r\n(?![ \t])|,))?"""
    ).encode()
)
_RPORT = re.compile(rb";[Rr][Pp][Oo][Rr][Tt](?=;|\Z)")


def stamp_via(data: bytes, literal: str, port: int, same: bool) -> bytes | None:
    """The message with received, and a value for its empty rport, in the top Via; None if that is laid out oddly.

    ``literal`` is the host, an IPv6 address in brackets. ``same`` says that sent-by names it: a Via that asks for no
    rport then stays as it is.
    """
    match = _TOP_VIA.search(data, 0, data.find(b"\r\n\r\n") + 2)
    if match is None or match[1] is None:
        return None
    start, end = match.span(1)
    rport = _RPORT.search(data, start, end)
    if rport is None:
        return data if same else b"%b;received=%b%b" % (data[:end], literal.encode(), data[end:])
    cut = rport.end()
    return b"%b=%d%b;received=%b%b" % (data[:cut], port, data[cut:end], literal.encode(), data[end:])

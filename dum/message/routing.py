"""The routing fields of a head: what a message is filed under before anything else is asked of it.

One pattern finds every header line in a single pass and at the same time proves that each line is one: the number of
matches must equal the number of lines. The values that matter are then read by a pattern for the form nearly every
message uses; any other form goes through the full grammar, and a test holds both to the same answers.
"""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.fields import unfold
from dum.message.grammar import QUOTED, number, split_commas
from dum.message.name_address import split_name_address
from dum.message.parameters import Parameters
from dum.message.via import Via, normal_sent_by

Routing = tuple[str, int, str, str, str, str, str, int]
"""call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by, content_length (-1 when there is none)."""

_FIELD = re.compile(r"\r\n([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*+:[ \t]*+([^\r\n]*+)(?=\r\n|\Z)")
_COMMON_VIA = re.compile(
    r"SIP/2\.0/[A-Za-z0-9\-]+ ([A-Za-z0-9_.\-]*[A-Za-z0-9_])(?::([0-9]{1,5}))?"
    r"(?:;rport(?:=[0-9]+)?)?;branch=([^\s;,\"=]+)((?:;[A-Za-z0-9\-]+(?:=[A-Za-z0-9.:\-]+)?)*)[ \t]*"
)
_COMMON_TAGGED = re.compile(rf'(?:{QUOTED}[ \t]*+|[^"<>,;\\]*+)<[^<>"\s]*>(?:;tag=([^\s;,"=]+))?[ \t]*')
_CSEQ = re.compile(r"([0-9]+)[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*", re.A)
_WORDS = re.compile(r"[^\s\x00-\x1f]+")


def read_routing(head: str, method: str, most: int = 1_000_000) -> Routing:  # noqa: C901 - one branch to a header
    """Read the routing fields of a head (without its final CRLF); ``method`` is "" for a response.

    Raises HeaderError naming the header that is missing, repeated or wrong. Only what files the message is judged:
    the rest of each value waits for ``check``.
    """
    if "\r\n " in head or "\r\n\t" in head:
        head = unfold(head)
    fields = _FIELD.findall(head)
    if len(fields) != head.count("\n"):
        raise HeaderError("Bad Header Line")
    if len(fields) > most:
        raise HeaderError("Too Many Header Fields", "", 513)
    via = source = target = call_id = cseq = None
    content_length = -1
    max_forwards = False
    for name, value in fields:
        name = name.lower()
        if name == "via" or name == "v":
            if via is None:
                via = value
        elif name == "from" or name == "f":
            if source is not None:
                raise HeaderError("Repeated From", "From")
            source = value
        elif name == "to" or name == "t":
            if target is not None:
                raise HeaderError("Repeated To", "To")
            target = value
        elif name == "call-id" or name == "i":
            if call_id is not None:
                raise HeaderError("Repeated Call-ID", "Call-ID")
            call_id = value
        elif name == "cseq":
            if cseq is not None:
                raise HeaderError("Repeated CSeq", "CSeq")
            cseq = value
        elif name == "content-length" or name == "l":
            length = number(value, "Content-Length")
            if content_length >= 0 and length != content_length:
                raise HeaderError("Conflicting Content-Length", "Content-Length")
            content_length = length
        elif name == "max-forwards":
            if max_forwards:
                raise HeaderError("Repeated Max-Forwards", "Max-Forwards")
            max_forwards = True
    if via is None or source is None or target is None or call_id is None or cseq is None:
        raise _missing(via, source, target, call_id)
    sequence, cseq_method = read_cseq(cseq)
    if method and cseq_method != method:
        raise HeaderError("CSeq Method Mismatch", "CSeq")
    call_id = call_id.rstrip(" \t")
    if _WORDS.fullmatch(call_id) is None:
        raise HeaderError("Bad Call-ID", "Call-ID")
    branch, sent_by = read_top_via(via)
    from_tag, to_tag = read_tag(source, "From"), read_tag(target, "To")
    return call_id, sequence, cseq_method, from_tag, to_tag, branch, sent_by, content_length


def _missing(via: str | None, source: str | None, target: str | None, call_id: str | None) -> HeaderError:
    if via is None:
        name = "Via"
    elif source is None:
        name = "From"
    elif target is None:
        name = "To"
    else:
        name = "Call-ID" if call_id is None else "CSeq"
    return HeaderError(f"Missing {name}", name)


def read_cseq(value: str) -> tuple[int, str]:
    """Number and method of a CSeq value; the number stays below 2**31 (RFC 3261 section 8.1.1.5)."""
    match = _CSEQ.fullmatch(value)
    if match is None:
        raise HeaderError("Bad CSeq", "CSeq")
    return number(match[1], "CSeq", 2**31 - 1), match[2]


def read_top_via(value: str) -> tuple[str, str]:
    """Branch and sent_by of the first value in a Via field."""
    match = _COMMON_VIA.fullmatch(value)
    if match is not None and "branch" not in match[4].lower():
        port = match[2]
        host = match[1].lower()
        if port is None:
            return match[3], host
        if int(port) <= 65535:
            return match[3], f"{host}:{int(port)}"
    try:
        first = split_commas(value)
    except HeaderError as error:
        raise HeaderError("Bad Via", "Via") from error
    if not first:
        raise HeaderError("Bad Via", "Via")
    via = Via.parse(first[0])
    return via.branch, normal_sent_by(via.host, via.port)


def read_tag(value: str, header: str) -> str:
    """The tag of a From or To value, "" when there is none."""
    match = _COMMON_TAGGED.fullmatch(value)
    if match is not None:
        return match[1] or ""
    _, _, parameters = split_name_address(value, header)
    try:
        return Parameters.parse(parameters).get("tag") or ""
    except HeaderError as error:
        raise HeaderError(f"Bad {header}", header) from error

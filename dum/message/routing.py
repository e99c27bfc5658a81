"""The routing fields of a head, however it is laid out: what a message is filed under.

``typical`` reads the head that nearly every message has; this module reads every other, and says what is wrong.
"""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.fields import canonical, unfold
from dum.message.grammar import TOKEN, number, split_commas
from dum.message.name_address import split_name_address
from dum.message.parameters import Parameters
from dum.message.typical import shared_method
from dum.message.via import Via, normal_sent_by

Routing = tuple[str, int, str, str, str, str, str, int]
"""call_id, cseq, cseq_method, from_tag, to_tag, branch, sent_by, content_length (-1 when there is none)."""

_FIELD = re.compile(rf"\r\n({TOKEN}++)[ \t]*+:[ \t]*+([^\r\n]*+)(?=\r\n|\Z)")
_CSEQ = re.compile(rf"([0-9]++)[ \t]++({TOKEN}++)[ \t]*+")
_WORDS = re.compile(r"[^\s\x00-\x1f]++")
_SINGLE = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq", "max-forwards": "Max-Forwards"}


def read_routing(head: str, method: str, most: int = 1_000_000) -> Routing:
    """Read the routing fields of any head (without its final CRLF); ``method`` is "" for a response.

    Raises HeaderError naming the header that is missing, repeated or wrong, or when there are more than ``most``
    fields. Only what files the message is judged: the rest of each value waits for ``check``.
    """
    head = unfold(head)
    fields = _FIELD.findall(head)
    if len(fields) != head.count("\n"):
        raise HeaderError("Bad Header Line")
    if len(fields) > most:
        raise HeaderError("Too Many Header Fields", "", 513)
    found: dict[str, str] = {}
    content_length = -1
    for spelt, value in fields:
        name = canonical(spelt)
        if name in _SINGLE and name in found:
            raise HeaderError(f"Repeated {_SINGLE[name]}", _SINGLE[name])
        if name == "content-length":
            length = number(value, "Content-Length")
            if content_length not in (-1, length):
                raise HeaderError("Conflicting Content-Length", "Content-Length")
            content_length = length
        else:
            found.setdefault(name, value)
    for name in ("via", "from", "to", "call-id", "cseq"):
        if name not in found:
            title = _SINGLE.get(name, "Via")
            raise HeaderError(f"Missing {title}", title)
    sequence, cseq_method = read_cseq(found["cseq"])
    if method and cseq_method != method:
        raise HeaderError("CSeq Method Mismatch", "CSeq")
    call_id = found["call-id"].rstrip(" \t")
    if _WORDS.fullmatch(call_id) is None:
        raise HeaderError("Bad Call-ID", "Call-ID")
    branch, sent_by = read_top_via(found["via"])
    from_tag, to_tag = read_tag(found["from"], "From"), read_tag(found["to"], "To")
    return call_id, sequence, shared_method(cseq_method), from_tag, to_tag, branch, sent_by, content_length


def read_cseq(value: str) -> tuple[int, str]:
    """Number and method of a CSeq value; the number stays below 2**31 (RFC 3261 section 8.1.1.5)."""
    match = _CSEQ.fullmatch(value)
    if match is None:
        raise HeaderError("Bad CSeq", "CSeq")
    return number(match[1], "CSeq", 2**31 - 1), match[2]


def read_top_via(value: str) -> tuple[str, str]:
    """Branch and sent_by of the first value in a Via field."""
    try:
        values = split_commas(value)
    except HeaderError as error:
        raise HeaderError("Bad Via", "Via") from error
    if not values:
        raise HeaderError("Bad Via", "Via")
    via = Via.parse(values[0])
    return _only(via.parameters, "branch", "Via") or "", normal_sent_by(via.host, via.port)


def read_tag(value: str, header: str) -> str:
    """The tag of a From or To value, "" when there is none."""
    _, _, parameters = split_name_address(value, header)
    try:
        tag = _only(Parameters.parse(parameters.rstrip()), "tag", header)
    except HeaderError as error:
        raise HeaderError(f"Bad {header}", header) from error
    # An empty one would make way for a second when the request is answered.
    if tag is not None and not tag:
        raise HeaderError(f"Bad {header}", header)
    return tag or ""


def _only(parameters: Parameters, name: str, header: str) -> str | None:
    """A parameter that tells messages apart: "" for a flag, None when absent. Raises HeaderError if there are two."""
    found = [value or "" for key, value in parameters.items() if key.lower() == name]
    if len(found) > 1:
        raise HeaderError(f"Bad {header}", header)
    return found[0] if found else None

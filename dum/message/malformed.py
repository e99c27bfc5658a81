"""Malformed: a message that breaks the grammar, as a value that knows its answer."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.fields import name_of, raw_lines, unfold, value_of
from dum.message.reason import reason_phrase
from dum.message.response import Response
from dum.message.routing import read_tag, read_top_via
from dum.message.start_line import is_status_line

_USABLE_VIA = re.compile(r"\s*SIP\s*/\s*[0-9.]+\s*/\s*[A-Za-z0-9\-]+\s+([\[\]A-Za-z0-9_.:\-]+)", re.A)
_USABLE_CSEQ = re.compile(r"([0-9]{1,32})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)", re.A)
_METHOD = re.compile(r"[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)")


class Malformed:
    """What ``parse`` gives instead of a message it must refuse.

    ``status`` and ``reason`` are the answer the RFC asks for, ``header`` names the field at fault ("" when it is
    none), ``data`` is what came. ``call_id``, ``cseq``, ``cseq_method``, ``from_tag``, ``to_tag``, ``branch``,
    ``sent_by`` and ``method`` hold what could be read ("" and 0 where nothing could). Immutable by convention; safe
    to share between threads.
    """

    __slots__ = (
        "_copied",
        "branch",
        "call_id",
        "cseq",
        "cseq_method",
        "data",
        "from_tag",
        "header",
        "is_request",
        "method",
        "reason",
        "sent_by",
        "status",
        "to_tag",
    )

    def __init__(self, data: bytes, status: int, reason: str, header: str = "") -> None:
        self.data = data
        self.status = status
        self.reason = reason
        self.header = header
        head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0][:65_536].decode("utf-8", "surrogateescape")
        start, *lines = raw_lines(head)
        self.is_request = not is_status_line(start)
        method = _METHOD.match(start) if self.is_request else None
        self.method = method[1] if method else ""
        first: dict[str, str] = {}
        vias: list[str] = []
        for line in lines:
            name = name_of(line)
            if name == "via":
                vias.append(line)
            elif name in ("from", "to", "call-id", "cseq"):
                first.setdefault(name, line)
        self._copied = [*vias, *first.values()]
        self.call_id = value_of(first.get("call-id", ":"))
        sequence = _USABLE_CSEQ.match(value_of(first.get("cseq", ":")))
        self.cseq = int(sequence[1]) if sequence else 0
        self.cseq_method = sequence[2] if sequence else ""
        self.from_tag = _tag(first.get("from", ":"), "From")
        self.to_tag = _tag(first.get("to", ":"), "To")
        self.branch, self.sent_by = _top_via(vias)

    def response(self, to_tag: str = "") -> Response | None:
        """The answer to send, To tagged with ``to_tag`` if it has no tag; None when there can be none.

        None for a response, for an ACK, and for a request without a usable Via and CSeq, by which alone the sender
        knows its own (RFC 3261 section 17.1.3). A missing From, To or Call-ID stays missing in the answer, which is
        what RFC 4475 section 3.3.1 calls ideal.
        """
        if not self.is_request or "ACK" in (self.method, self.cseq_method):
            return None
        if not self.sent_by or not self.cseq_method:
            return None
        tag = self.to_tag or to_tag
        lines = [f"SIP/2.0 {self.status} {self.reason or reason_phrase(self.status)}"]
        for line in self._copied:
            # A bare CR or LF inside a line that is copied would become a line of ours.
            text = unfold(line).replace("\r", " ").replace("\n", " ")
            if name_of(line) == "to" and to_tag and not self.to_tag:
                text = f"{text};tag={to_tag}"
            lines.append(text)
        lines.append("Content-Length: 0\r\n\r\n")
        data = "\r\n".join(lines).encode("utf-8", "surrogateescape")
        return Response(
            data,
            self.status,
            self.call_id,
            self.cseq,
            self.cseq_method,
            self.from_tag,
            tag,
            self.branch,
            self.sent_by,
        )

    def __repr__(self) -> str:
        return f"<Malformed {self.status} {self.reason!r} {self.header!r} {self.data[:40]!r}>"


def _tag(line: str, header: str) -> str:
    try:
        return read_tag(value_of(line), header)
    except HeaderError:
        return ""


def _top_via(lines: list[str]) -> tuple[str, str]:
    if not lines:
        return "", ""
    value = value_of(lines[0])
    try:
        return read_top_via(value)
    except HeaderError:
        match = _USABLE_VIA.match(value)
        return "", match[1].lower() if match else ""

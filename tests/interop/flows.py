"""SIPp scenarios from one line each: "> INVITE < 100? < 180 < 200 > ACK ~ 100 > BYE < 200".

`>` is what SIPp sends and `<` what it expects, `?` stands behind what may stay away, `~` is a pause in milliseconds.
The first step says whether SIPp calls or is called. `{lost=30}` behind an expected message has SIPp lose so many
percent of them.
"""

import re
from xml.sax.saxutils import quoteattr

_STEP = re.compile(r"([<>~]) (\w+)(\?)?(?:\{lost=(\d+)\})?")

_BODY = """
v=0
o=peer 53655765 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""

_REQUEST = """
{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{back}]
Max-Forwards: 70
From: <sip:peer@[local_ip]:[local_port]>;tag=peer[pid]x[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:peer@[local_ip]:[local_port]>
{rest}"""

_RESPONSE = """
SIP/2.0 {status} As asked
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:]{to_tag}
[last_Call-ID:]
{cseq}
Contact: <sip:peer@[local_ip]:[local_port]>
{rest}"""

_WITHOUT_BODY = "Content-Length: 0\n\n"


class Flow:
    """The steps of one scenario on their way to XML."""

    def __init__(self, line: str) -> None:
        found = _STEP.findall(line)
        written = " ".join(step.group(0) for step in _STEP.finditer(line))
        assert written == line, f"{line!r} was read as {written!r}"
        self._steps = found
        self._cseq = 0
        self._invite_step = 0
        self._last_status = 0
        self._received = ""

    def xml(self) -> str:
        """Return the scenario."""
        parts = [self._step(number, *step) for number, step in enumerate(self._steps)]
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="flow">\n{"".join(parts)}</scenario>\n'

    def _step(self, number: int, sign: str, what: str, optional: str, lost: str) -> str:
        if sign == "~":
            return f'<pause milliseconds="{what}"/>\n'
        if sign == ">":
            text = self._response(what) if what.isdigit() else self._request(number, what)
            again = ' retrans="500"' if self._is_retransmitted(what) else ""
            return f"<send{again}><![CDATA[\n{text}]]></send>\n"
        kind = "response" if what.isdigit() else "request"
        if what.isdigit():
            self._last_status = int(what)
        else:
            self._received = what
        attributes = f" {kind}={quoteattr(what)}"
        if optional:
            attributes += ' optional="true"'
        if lost:
            attributes += f' lost="{lost}"'
        return f"<recv{attributes}/>\n"

    def _is_retransmitted(self, what: str) -> bool:
        """Says whether it is for SIPp to send this again while nothing comes back over UDP."""
        if what.isdigit():
            return self._received == "INVITE" and int(what) >= 200
        return what not in ("ACK", "CANCEL")

    def _request(self, number: int, method: str) -> str:
        first = self._cseq == 0
        of_invite = method == "CANCEL" or (method == "ACK" and self._last_status >= 300)
        back = f"-{number - self._invite_step}" if of_invite else ""
        if method not in ("ACK", "CANCEL"):
            self._cseq += 1
        rest = _WITHOUT_BODY
        if method == "INVITE":
            self._invite_step = number
            rest = _with_body(self._cseq)
        to_tag = "" if first or method == "CANCEL" else "[peer_tag_param]"
        cseq = self._cseq
        return _REQUEST.format(method=method, back=back, to_tag=to_tag, cseq=cseq, rest=rest)

    def _response(self, status: str) -> str:
        # The tag is ours to add where the request has none: later requests bring it.
        first = self._received == "INVITE" and status != "100"
        to_tag = ";tag=peer[pid]y[call_number]" if first or status == "487" else ""
        rest = _with_body(1) if self._received == "INVITE" and status in ("183", "200") else _WITHOUT_BODY
        # 487 answers the INVITE, which has the number of the CANCEL that has come last.
        cseq = "CSeq: [cseq] INVITE" if status == "487" else "[last_CSeq:]"
        return _RESPONSE.format(status=status, to_tag=to_tag, cseq=cseq, rest=rest)


def _with_body(version: int) -> str:
    return "Content-Type: application/sdp\nContent-Length: [len]\n" + _BODY.format(version=version)


def scenario(line: str) -> str:
    """The XML of a scenario written as one line; AssertionError for a line that can't be read."""
    return Flow(line).xml()

"""Messages that several test files start from."""

from dum.message import Malformed, Request, Response, parse

BODY = b"v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\n"


def invite(*lines: str, body: bytes = BODY, **replaced: str) -> bytes:
    """An INVITE as phones send it; keywords replace a header's value (``call_id="x"``), "" leaves it out."""
    values = {
        "via": "SIP/2.0/UDP client.example.com:5060;branch=z9hG4bK74bf9;rport",
        "from": '"Alice A." <sip:alice@example.com>;tag=9fxced76sl',
        "to": "Bob <sip:bob@example.net>",
        "call_id": "3848276298220188511@client.example.com",
        "cseq": "2 INVITE",
        "max_forwards": "70",
        "contact": "<sip:alice@client.example.com>",
        "content_type": "application/sdp",
        "content_length": str(len(body)),
    }
    start = replaced.pop("start", "INVITE sip:bob@example.net SIP/2.0")
    values.update({name.rstrip("_"): value for name, value in replaced.items()})
    names = {"call_id": "Call-ID", "cseq": "CSeq"}
    fields = [f"{names.get(name, name.replace('_', '-').title())}: {value}" for name, value in values.items() if value]
    return "\r\n".join([start, *fields, *lines, "", ""]).encode("utf-8", "surrogateescape") + body


def request(data: bytes) -> Request:
    """The request in these bytes."""
    message = parse(data)
    assert isinstance(message, Request), message
    return message


def response(data: bytes) -> Response:
    """The response in these bytes."""
    message = parse(data)
    assert isinstance(message, Response), message
    return message


def malformed(data: bytes) -> Malformed:
    """What is wrong with these bytes."""
    message = parse(data)
    assert isinstance(message, Malformed), message
    return message

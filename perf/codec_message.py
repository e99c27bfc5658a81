"""The message that the codec's measurements are made with: an INVITE of 801 octets, as a phone sends it."""

BODY = (
    b"v=0\r\no=alice 2890844526 2890844526 IN IP4 pc33.atlanta.example.com\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
    b"m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
FIELDS = (
    ("Via", "SIP/2.0/UDP pc33.atlanta.example.com:5060;branch=z9hG4bKnashds8a7f6e;rport"),
    ("Max-Forwards", "70"),
    ("From", '"Alice Liddell" <sip:alice@atlanta.example.com>;tag=1928301774'),
    ("To", "Bob <sip:bob@biloxi.example.com>"),
    ("Call-ID", "a84b4c76e66710f3b2@pc33.atlanta.example.com"),
    ("CSeq", "314159 INVITE"),
    ("Contact", "<sip:alice@pc33.atlanta.example.com:5060;transport=udp>"),
    ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"),
    ("Supported", "100rel, timer, replaces"),
    ("User-Agent", "example/1.0"),
    ("Content-Type", "application/sdp"),
)
URI = "sip:bob@biloxi.example.com;transport=udp"


def invite() -> bytes:
    """The INVITE as bytes."""
    lines = [f"INVITE {URI} SIP/2.0", *(f"{name}: {value}" for name, value in FIELDS), f"Content-Length: {len(BODY)}"]
    return "\r\n".join([*lines, "", ""]).encode() + BODY

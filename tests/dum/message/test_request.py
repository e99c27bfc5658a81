import pytest
from hypothesis import given, settings

from dum.message import HeaderError, Malformed, Request, Response, Uri, parse
from tests.dum.message.examples import BODY, invite, request
from tests.fuzz.grammar import messages

FIELDS = [
    ("Via", "SIP/2.0/UDP host;branch=z9hG4bKa"),
    ("Max-Forwards", "70"),
    ("From", "<sip:a@b>;tag=1"),
    ("To", "<sip:c@d>"),
    ("Call-ID", "x"),
    ("CSeq", "1 INVITE"),
]


def test_start_line() -> None:
    message = request(invite())
    assert (message.method, message.request_uri) == ("INVITE", "sip:bob@example.net")
    assert message.uri is message.uri
    assert message.uri.host == "example.net"


def test_a_broken_request_uri_raises_when_read() -> None:
    message = request(invite(start="INVITE sip: SIP/2.0"))
    with pytest.raises(HeaderError, match="Bad Request-URI"):
        _ = message.uri


def test_build_and_parse_agree() -> None:
    made = Request.build("INVITE", "sip:c@d", FIELDS, BODY)
    read = parse(made.encode())
    assert isinstance(read, Request)
    assert read == made
    for name in ("method", "call_id", "cseq", "cseq_method", "from_tag", "to_tag", "branch", "sent_by", "body"):
        assert getattr(read, name) == getattr(made, name)
    assert Request.build("INVITE", Uri.parse("sip:c@d"), FIELDS, BODY) == made


@pytest.mark.parametrize(
    ("method", "uri", "extra"),
    [
        ("INV ITE", "sip:c@d", []),
        ("INVITE", "", []),
        ("INVITE", "sip:c@d SIP/2.0\r\nX: y", []),
        ("INVITE", "<sip:c@d>", []),
        ("INVITE", "sip:c@d", [("Subject", "a\r\nX: y")]),
        ("INVITE", "sip:c@d", [("Sub ject", "a")]),
        ("INVITE", "sip:c@d", [("Content-Length", "9")]),
        ("INVITE", "sip:c@d", [("To", "<sip:twice>")]),
        ("BYE", "sip:c@d", []),
    ],
)
def test_the_callers_mistakes(method: str, uri: str, extra: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Request.build(method, uri, FIELDS + extra)


def test_another_request_uri() -> None:
    changed = request(invite("X:  odd")).with_request_uri("sip:new@host;lr")
    assert changed.request_uri == "sip:new@host;lr"
    assert changed.encode().partition(b"\r\n")[2] == invite("X:  odd").partition(b"\r\n")[2]
    with pytest.raises(ValueError, match="white space"):
        changed.with_request_uri("a b")


def test_received_and_rport() -> None:
    """RFC 3581 section 4: asked for, rport is filled and received is there even if sent-by was right."""
    stamped = request(invite(via="SIP/2.0/UDP 192.0.2.1:5060;branch=z9;rport")).with_received("192.0.2.1", 9999)
    assert (stamped.top_via.received, stamped.top_via.rport, stamped.branch) == ("192.0.2.1", 9999, "z9")
    assert stamped.sent_by == "192.0.2.1:5060"


def test_received_when_sent_by_differs() -> None:
    """RFC 3261 section 18.2.1."""
    stamped = request(invite(via="SIP/2.0/UDP host;branch=z9")).with_received("2001:db8::1", 9)
    assert (stamped.top_via.received, "rport" in stamped.top_via.parameters) == ("2001:db8::1", False)


def test_nothing_to_add_is_the_same_object() -> None:
    for sent_by in ("192.0.2.1", "192.0.2.1:5080"):
        message = request(invite(via=f"SIP/2.0/UDP {sent_by};branch=z9"))
        assert message.with_received("192.0.2.1", 9) is message
    message = request(invite(via="SIP/2.0/UDP [2001:DB8::1];branch=z9"))
    assert message.with_received("2001:db8::1", 9).top_via.received is None


@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP h;rport=1;branch=z9",
        "SIP/2.0/UDP h;RPort;branch=z9;received=192.0.2.99",
        "SIP / 2.0 / UDP h ; rport ; branch = z9",
        'SIP/2.0/UDP h;x=";rport";rport;branch=z9',
        "SIP/2.0/UDP h;rport;branch=z9, SIP/2.0/UDP i;rport;branch=y",
        "SIP/2.0/UDP\r\n h;rport\r\n ;branch=z9",
    ],
)
def test_an_oddly_laid_out_via_is_stamped_alike(via: str) -> None:
    message = request(invite("Via: SIP/2.0/UDP below;rport;branch=x", via=via))
    stamped = message.with_received("192.0.2.9", 1234)
    assert (stamped.top_via.received, stamped.top_via.rport) == ("192.0.2.9", 1234)
    assert [each.branch for each in stamped.vias] == [each.branch for each in message.vias]
    assert stamped.vias[1:] == message.vias[1:]
    assert stamped.body == message.body


def test_a_response_copies_what_8_2_6_says() -> None:
    message = request(
        invite("Via: SIP/2.0/UDP below;branch=x", "Record-Route: <sip:p;lr>", "Timestamp: 54", "Subject: no")
    )
    answer = message.respond(200, to_tag="here", fields=[("Contact", "<sip:me>")], body=b"x")
    assert answer.encode() == (
        b"SIP/2.0 200 OK\r\n"
        b"Via: SIP/2.0/UDP client.example.com:5060;branch=z9hG4bK74bf9;rport\r\n"
        b'From: "Alice A." <sip:alice@example.com>;tag=9fxced76sl\r\n'
        b"To: Bob <sip:bob@example.net>;tag=here\r\n"
        b"Call-ID: 3848276298220188511@client.example.com\r\nCSeq: 2 INVITE\r\n"
        b"Via: SIP/2.0/UDP below;branch=x\r\nRecord-Route: <sip:p;lr>\r\n"
        b"Contact: <sip:me>\r\nContent-Length: 1\r\n\r\nx"
    )
    assert parse(answer.encode()) == answer
    assert answer.to_tag == "here"


def test_record_route_and_timestamp_go_where_they_belong() -> None:
    message = request(invite("RECORD-ROUTE: <sip:p;lr>", "Timestamp: 54"))
    assert message.respond(100).header("timestamp") == "54"
    assert message.respond(180).header("timestamp") is None
    assert [message.respond(status).record_routes != () for status in (100, 180, 200, 302, 486)] == [0, 1, 1, 0, 0]
    bye = request(invite("Record-Route: <sip:p;lr>", start="BYE sip:b SIP/2.0", cseq="3 BYE"))
    assert bye.respond(200).record_routes == ()


def test_the_to_tag_is_added_only_where_there_is_none() -> None:
    assert request(invite(to="<sip:b>;tag=old")).respond(200, to_tag="new").to_tag == "old"
    assert request(invite()).respond(100).to_tag == ""
    assert request(invite(to="sip:b@c")).respond(200, to_tag="new").to.tag == "new"
    with pytest.raises(ValueError, match="not a token"):
        request(invite()).respond(200, to_tag="a b")


@settings(max_examples=100, deadline=None)
@given(messages())
def test_any_request_however_spelt_is_answered(data: bytes) -> None:
    message = parse(data)
    if not isinstance(message, Request):
        return
    for status in (100, 180, 200, 404):
        answer = message.respond(status, to_tag="here")
        read = parse(answer.encode())
        assert isinstance(read, Response), read
        assert read == answer
        names = ("call_id", "cseq", "cseq_method", "from_tag", "branch", "sent_by", "to_tag")
        assert [getattr(read, name) for name in names] == [getattr(answer, name) for name in names]
        assert read.headers("via") == message.headers("via")
    stamped = message.with_received("192.0.2.99", 5)
    assert not isinstance(parse(stamped.encode()), Malformed)
    assert stamped.headers("via")[1:] == message.headers("via")[1:]


def test_bad_statuses_and_phrases() -> None:
    for status, reason in ((99, None), (200, "a\nb")):
        with pytest.raises(ValueError, match=r"\w"):
            request(invite()).respond(status, reason)
    with pytest.raises(ValueError, match="line break"):
        request(invite()).respond(200, fields=[("X", "a\r\nb")])

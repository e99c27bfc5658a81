import pytest

from dum.message import HeaderError, parse
from tests.dum.message.examples import BODY, invite, request


def test_bytes_come_back_and_are_kept() -> None:
    data = invite()
    message = request(data)
    assert message.encode() == data
    assert message.encode() is message.encode()
    assert message.body == BODY


def test_routing_fields() -> None:
    message = request(invite())
    assert (message.call_id, message.cseq, message.cseq_method) == (
        "3848276298220188511@client.example.com",
        2,
        "INVITE",
    )
    assert (message.from_tag, message.to_tag) == ("9fxced76sl", "")
    assert (message.branch, message.sent_by) == ("z9hG4bK74bf9", "client.example.com:5060")


def test_text_access() -> None:
    message = request(invite("s:  I know\r\n you're there ", "Date: Sat, 13 Nov 2010 23:29:00 GMT", "X-Raw: \udcff"))
    assert message.header("SUBJECT") == message.header("s") == "I know you're there"
    assert message.headers("date") == ("Sat, 13 Nov 2010 23:29:00 GMT",)
    assert message.header("nothing") is None
    assert message.headers("nothing") == ()
    assert message.header("x-raw") == "\udcff"
    assert message.fields[-1] == ("X-Raw", "\udcff")
    assert message.fields[0][0] == "Via"


def test_list_headers_gather_from_lines_and_commas() -> None:
    message = request(
        invite("Supported: a, b", "k: c", 'Warning: 307 x "a, b", 301 y "c"', 'WWW-Authenticate: D a="1", b=2')
    )
    assert message.headers("supported") == ("a", "b", "c")
    assert message.header("supported") == "a, b"
    assert message.headers("Warning") == ('307 x "a, b"', '301 y "c"')
    assert message.headers("www-authenticate") == ('D a="1", b=2',)


def test_an_unclosed_quote_in_a_list_is_the_one_thing_headers_raises_for() -> None:
    with pytest.raises(HeaderError) as caught:
        request(invite('Reject-Contact: "x')).headers("j")
    assert caught.value.header == "Reject-Contact"


def test_typed_access() -> None:
    message = request(
        invite("Route: <sip:p1;lr>", "Route: <sip:p2;lr>, <sip:p3>", "Record-Route: <sip:r>", "Expires: 60")
    )
    assert (message.from_.display, message.to.display) == ("Alice A.", "Bob")
    assert [str(address.uri) for address in message.routes] == ["sip:p1;lr", "sip:p2;lr", "sip:p3"]
    assert len(message.record_routes) == 1
    assert message.contacts[0].uri.user == "alice"
    assert (message.max_forwards, message.expires, message.content_type) == (70, 60, "application/sdp")
    assert message.vias == (message.top_via,)
    assert message.vias is message.vias


def test_absent_headers() -> None:
    message = request(invite(contact="", max_forwards="", content_type=""))
    assert (message.contacts, message.routes, message.max_forwards, message.expires) == ((), (), None, None)
    assert (message.content_type, message.contact_is_star) == ("", False)


def test_content_type_without_parameters() -> None:
    assert request(invite(content_type='Multipart / Mixed ; boundary="x;y"')).content_type == "multipart/mixed"


def test_contact_star() -> None:
    message = request(invite(contact=" * "))
    assert message.contact_is_star
    assert message.contacts == ()


def test_changing_leaves_other_lines_byte_for_byte() -> None:
    data = invite("X-Odd  :  a\r\n\tb", "Route: <sip:p1>", "route: <sip:p2>")
    message = request(data)
    changed = message.with_fields(
        {"Route": "<sip:p9>", "Expires": "5", "Contact": None}, (("Record-Route", "<sip:me;lr>"),), (("X-Last", "z"),)
    )
    text = changed.encode()
    assert text.split(b"\r\n")[1] == b"Record-Route: <sip:me;lr>"
    assert b"X-Odd  :  a\r\n\tb\r\n" in text
    assert [str(address.uri) for address in changed.routes] == ["sip:p9"]
    assert (changed.expires, changed.contacts, changed.header("x-last")) == (5, (), "z")
    assert changed.body == message.body
    assert message.encode() == data
    assert parse(text) == changed


def test_changing_a_routing_header_rereads_it() -> None:
    changed = request(invite()).with_fields({"CSeq": "3 INVITE"}, (("Via", "SIP/2.0/TCP p;branch=z9hG4bKp"),))
    assert (changed.cseq, changed.branch, changed.sent_by) == (3, "z9hG4bKp", "p")
    assert len(changed.vias) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nEvil: 1"), ("X", "a\nb"), ("X y", "1"), ("Content-Length", "1"), ("l", "1"), ("CSeq", "3 BYE")],
)
def test_a_change_that_would_break_the_message_is_the_callers_mistake(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        request(invite()).with_fields({name: value})


def test_equality_and_looks() -> None:
    assert request(invite()) == request(invite())
    assert hash(request(invite())) == hash(request(invite()))
    assert request(invite()) != request(invite(cseq="3 INVITE"))
    assert "INVITE sip:bob@example.net" in repr(request(invite()))


def test_a_broken_via_below_leaves_the_top_one_readable() -> None:
    message = request(invite("Via: <"))
    assert message.top_via.branch == "z9hG4bK74bf9"
    assert message.with_received("192.0.2.9", 5).top_via.rport == 5
    with pytest.raises(HeaderError):
        _ = message.vias

"""The ACK for a 300-699 response: RFC 3261 section 17.1.1.3."""

from dum.message import Response, parse
from dum.transaction.ack import acknowledgement
from tests.dum.transaction.virtual_time import parsed_request, request, response

INVITE = request("INVITE", b"v=0\r\n")


def test_it_is_the_invites_with_the_to_of_the_response() -> None:
    ack = parsed_request(acknowledgement(INVITE, response(486)))
    assert ack.method == ack.cseq_method == "ACK"
    assert ack.to_tag == "a6c85cf"
    assert ack.header("To") == response(486).header("To")
    assert ack.branch == "z9hG4bK776asdhds"
    assert ack.cseq == 314159
    assert len(ack.routes) == 2
    assert ack.header("Content-Length") == "0"


def test_the_example_of_the_rfc() -> None:
    invite = (
        b"INVITE sip:bob@biloxi.com SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
        b"To: Bob <sip:bob@biloxi.com>\r\n"
        b"From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
        b"Max-Forwards: 70\r\n"
        b"Call-ID: 987asjd97y7atg\r\n"
        b"CSeq: 986759 INVITE\r\n\r\n"
    )
    refusal = parse(
        b"SIP/2.0 404 Not Found\r\n"
        b"Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
        b"To: Bob <sip:bob@biloxi.com>;tag=99sa0xk\r\n"
        b"From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
        b"Call-ID: 987asjd97y7atg\r\n"
        b"CSeq: 986759 INVITE\r\n\r\n"
    )
    assert isinstance(refusal, Response)
    assert set(acknowledgement(invite, refusal).split(b"\r\n")) == {
        b"ACK sip:bob@biloxi.com SIP/2.0",
        b"Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff",
        b"To: Bob <sip:bob@biloxi.com>;tag=99sa0xk",
        b"From: Alice <sip:alice@atlanta.com>;tag=88sja8x",
        b"Max-Forwards: 70",
        b"Call-ID: 987asjd97y7atg",
        b"CSeq: 986759 ACK",
        b"Content-Length: 0",
        b"",
    }


def test_a_to_that_is_no_utf8_is_repeated_as_it_came() -> None:
    refusal = parse(response(486).encode().replace(b"To: Bob", b"To: \xff"))
    assert isinstance(refusal, Response)
    assert b"\r\nTo: \xff <sip:bob" in acknowledgement(INVITE, refusal)

import pytest

from dum.message import Response, parse
from tests.dum.message.examples import invite, malformed


def test_it_knows_what_could_be_read() -> None:
    fault = malformed(invite(cseq="2147483648 INVITE"))
    assert (fault.status, fault.reason, fault.header, fault.is_request) == (400, "CSeq Out of Range", "CSeq", True)
    assert (fault.method, fault.cseq, fault.cseq_method) == ("INVITE", 2147483648, "INVITE")
    assert (fault.branch, fault.sent_by, fault.from_tag) == ("z9hG4bK74bf9", "client.example.com:5060", "9fxced76sl")
    assert fault.data == invite(cseq="2147483648 INVITE")
    assert "CSeq" in repr(fault)


def test_its_response_copies_what_the_sender_needs() -> None:
    answer = malformed(invite("Via: SIP/2.0/UDP below", cseq="2147483648 INVITE")).response("here")
    assert answer is not None
    text = answer.encode().decode()
    assert text.startswith("SIP/2.0 400 CSeq Out of Range\r\nVia: SIP/2.0/UDP client")
    assert "Via: SIP/2.0/UDP below\r\n" in text
    assert "To: Bob <sip:bob@example.net>;tag=here\r\n" in text
    assert text.endswith("\r\nContent-Length: 0\r\n\r\n")
    assert answer.to_tag == "here"


def test_an_answer_to_a_repeated_header_is_itself_well_formed() -> None:
    answer = malformed(invite("To: <sip:again>", "i: again")).response("here")
    assert answer is not None
    assert isinstance(parse(answer.encode()), Response)


def test_a_to_tag_that_is_there_stays() -> None:
    answer = malformed(invite(to="<sip:b>;tag=old", cseq="x")).response("here")
    assert answer is None
    answer = malformed(invite("Max-Forwards: 1", to="<sip:b>;tag=old")).response("here")
    assert answer is not None
    assert answer.to_tag == "old"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"random \xff\x00 rubbish",
        invite(via=""),
        invite(via="SIP/2.0"),
        invite(cseq=""),
        invite(cseq="none"),
        invite(start="ACK sip:b SIP/2.0", cseq="2 ACK", call_id=""),
        invite(start="SIP/2.0 200 OK", call_id=""),
        invite(start="SIP/2.0 2000 OK"),
    ],
)
def test_what_cannot_be_answered(data: bytes) -> None:
    assert malformed(data).response("here") is None


@pytest.mark.parametrize("name", ["from", "to", "call_id"])
def test_a_missing_from_to_or_call_id_stays_missing_in_the_answer(name: str) -> None:
    """RFC 4475 section 3.3.1."""
    answer = malformed(invite(body=b"", **{name: ""})).response("here")
    assert answer is not None
    assert answer.status == 400
    assert answer.header(name.replace("_", "-")) is None


def test_a_bare_line_feed_is_not_copied_as_one() -> None:
    answer = malformed(invite(from_="<sip:a>;tag=1\nEvil: yes")).response("here")
    assert answer is not None
    assert "\nEvil" not in answer.encode().decode()


def test_reading_rubbish_costs_no_exception() -> None:
    for size in range(200):
        malformed(invite()[:size]).response("x")

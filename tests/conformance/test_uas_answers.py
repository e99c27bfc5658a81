"""RFC 4475: what a user agent answers to each of the 49 torture messages over UDP.

Ours takes calls and answers OPTIONS; it is no registrar and knows no MESSAGE. "process", where the RFC says no more
than that, is 180 and 200 for an INVITE, 200 for OPTIONS and 405 for a method that is known but not supported.
"""

from pathlib import Path

import pytest

from dum.message import Malformed, Response, parse
from tests.support.applications import Application, answers
from tests.support.wire import Side, Wire, ticks

DATA = Path(__file__).parent / "data" / "rfc4475"
HERE = "10.0.0.2"
THERE = "192.0.2.200"

CALL = (180, 200)
ANSWERS: dict[str, tuple[int, ...]] = {
    # 3.1.1: valid messages. The INVITE of wsinv has a To tag, of a dialog that is not ours (RFC 3261 12.2.2).
    "wsinv": (481,),
    **dict.fromkeys(("esc01", "longreq"), CALL),
    **dict.fromkeys(("intmeth", "esc02"), (501,)),
    **dict.fromkeys(("escnull", "dblreq", "mpart01"), (405,)),
    **dict.fromkeys(("lwsdisp", "semiuri", "transports"), (200,)),
    **dict.fromkeys(("unreason", "noreason"), ()),
    # 3.1.2: invalid messages.
    **dict.fromkeys(("badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri", "lwsstart"), (400,)),
    **dict.fromkeys(("trws", "escruri", "regbadct", "badaspec", "baddn", "mismatch01", "mismatch02"), (400,)),
    "badvers": (505,),
    **dict.fromkeys(("scalarlg", "bigcode"), ()),
    "baddate": CALL,  # 3.1.2.12: it need not be refused by an element that has no use for the date
    # 3.2: transaction layer semantics: matched as RFC 2543 has it.
    "badbranch": (200,),
    # 3.3: application layer semantics.
    **dict.fromkeys(("insuf", "multi01", "mcl01"), (400,)),
    **dict.fromkeys(("unkscm", "novelsc"), (416,)),
    "unksm2": (405,),  # 400 is for registrars
    "bext01": (420,),
    "invut": (415,),
    "regaut01": (405,),
    "bcast": (),
    "zeromf": (200,),  # 3.3.11: an endpoint takes it as if it were positive
    **dict.fromkeys(("cparam01", "cparam02", "regescrt"), (405,)),
    "sdp01": (406,),
    # 3.4: backward compatibility.
    "inv2543": CALL,
}


def sent_for(data: bytes) -> tuple[list[bytes], Side]:
    """What goes back for one datagram, each response once, and the side when all is over."""
    with Wire() as wire:
        side = wire.join(HERE)
        Application(side, answers)
        wire.deliver(1, side, data, THERE)
        wire.run()
    sent = dict.fromkeys(data for lane in side.sent.values() for when, data in lane if when < ticks(30.0))
    return [message for message in sent if message.startswith(b"SIP/2.0 ")], side


def answered(data: bytes) -> list[Response]:
    """The responses for one datagram."""
    responses = [parse(response) for response in sent_for(data)[0]]
    return [response for response in responses if isinstance(response, Response)]


def statuses_of(responses: list[bytes]) -> tuple[int, ...]:
    """Their status codes; read by hand, because the answer to what lacks a From lacks it as well."""
    return tuple(int(response.split()[1]) for response in responses)


def octets(name: str) -> bytes:
    return (DATA / f"{name}.dat").read_bytes()


def test_all_49_are_here() -> None:
    assert {path.stem for path in DATA.glob("*.dat")} == {*ANSWERS}
    assert len(ANSWERS) == 49


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(name: str) -> None:
    sent, side = sent_for(octets(name))
    assert statuses_of(sent) == ANSWERS[name]
    assert side.leftovers() == {}
    request = parse(octets(name))
    if isinstance(request, Malformed):
        return
    for response in answered(octets(name)):
        assert response.call_id == request.call_id
        assert (response.cseq, response.cseq_method) == (request.cseq, request.cseq_method)
        assert response.headers("Via")[1:] == request.headers("Via")[1:]
        assert response.to_tag


def test_501_lists_the_methods_that_are_supported() -> None:
    for name in ("intmeth", "esc02"):
        (response,) = answered(octets(name))
        assert set(response.headers("Allow")) == {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"}


def test_420_names_what_is_required_of_an_endpoint_and_not_of_proxies() -> None:
    (response,) = answered(octets("bext01"))
    assert response.headers("Unsupported") == ("nothingSupportsThis", "nothingSupportsThisEither")


def test_415_says_what_is_understood() -> None:
    (response,) = answered(octets("invut"))
    assert response.headers("Accept") == ("application/sdp",)


def test_a_second_request_in_one_datagram_is_not_there() -> None:
    """3.1.1.8: what follows the body that Content-Length tells is ignored over UDP."""
    (response,) = answered(octets("dblreq"))
    assert response.cseq_method == "REGISTER"


def test_no_session_description_for_a_caller_that_accepts_none() -> None:
    """3.3.15: the Accept of the INVITE excludes what the answer would have to be."""
    (response,) = answered(octets("sdp01"))
    assert response.body == b""
    for accept, statuses in (
        (b"Accept: application/sdp, text/plain", CALL),
        (b"Accept: application/*;q=0.5", CALL),
        (b"Accept: */*", CALL),
        (b"Accept: text/*", (406,)),
    ):
        data = octets("sdp01").replace(b"Accept: text/nobodyKnowsThis", accept)
        assert statuses_of(sent_for(data)[0]) == statuses

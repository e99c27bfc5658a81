"""Session descriptions of an agent without media."""

import pytest

from dum.cli.descriptions import Descriptions
from dum.message.sdp import SessionDescription
from dum.message.sdp_answer import answer_fault
from transport import Address

OFFER = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 18 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 6002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
)


@pytest.mark.parametrize("listen", ["udp:127.0.0.1:5060", "udp:[::1]:5060", "udp:0.0.0.0:5060"])
def test_the_offer_is_a_valid_description(listen: str) -> None:
    offered = SessionDescription.parse(Descriptions(Address.parse(listen)).offer)
    connection = offered.connection_of(offered.media[0])
    assert connection is not None
    assert connection[2] != "0.0.0.0"
    assert offered.direction(offered.media[0]) == "inactive"


def test_the_answer_takes_the_audio_and_refuses_the_video() -> None:
    body = Descriptions(Address.parse("udp:127.0.0.1:5060")).answer_to(OFFER)
    assert body is not None
    offered, answered = SessionDescription.parse(OFFER), SessionDescription.parse(body)
    assert answer_fault(offered, answered) == ""
    assert [media.rejected for media in answered.media] == [False, True]
    assert answered.media[0].formats == ("0",)


def test_without_an_offer_we_make_one() -> None:
    descriptions = Descriptions(Address.parse("udp:127.0.0.1:5060"))
    assert descriptions.answer_to(b"") == descriptions.offer


@pytest.mark.parametrize(
    "offer",
    [
        b"this is no session description",
        OFFER.replace(b"RTP/AVP 18 0", b"RTP/AVP 18"),
        OFFER.replace(b"v=0\r\n", b""),
        b"\xff\xfe" * 20,
    ],
)
def test_what_can_not_be_answered(offer: bytes) -> None:
    assert Descriptions(Address.parse("udp:127.0.0.1:5060")).answer_to(offer) is None

import pytest

from dum.message.sdp import Origin, SdpError, SessionDescription
from dum.message.sdp_answer import (
    answer,
    answer_fault,
    hold,
    is_held,
    is_valid_answer,
    make_direction,
    next_offer_fault,
    offer_of,
    resume,
)


def description(*lines: str, version: int = 1) -> SessionDescription:
    first = ("v=0", f"o=- 7 {version} IN IP4 h", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return SessionDescription.parse("\r\n".join([*first, *lines, ""]).encode())


AUDIO = "m=audio 4000 RTP/AVP 0 8 101"
TONES = "a=rtpmap:101 telephone-event/8000"


def test_formats_in_common_in_the_offers_order_and_numbers() -> None:
    """RFC 3264 section 6.1."""
    offer = description(
        "m=audio 9000 RTP/AVP 8 96 97 0", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/8000"
    )
    mine = description(AUDIO, TONES, "a=fmtp:101 0-15", "a=ptime:20")
    given = answer(offer, mine)
    assert given.media[0].formats == ("8", "97", "0")
    assert given.media[0].port == 4000
    assert given.media[0].attribute("rtpmap") == "97 telephone-event/8000"
    assert given.media[0].attribute("fmtp") == "97 0-15"
    assert given.media[0].attribute("ptime") == "20"
    assert is_valid_answer(offer, given)


def test_as_many_sections_as_offered_and_in_order() -> None:
    """RFC 3264 section 6: what we cannot do is rejected with port 0."""
    offer = description(
        "m=video 9002 RTP/AVP 31", "m=audio 9000 RTP/AVP 0", "m=audio 9004 RTP/AVP 0", "m=text 0 RTP/AVP 98"
    )
    given = answer(offer, description(AUDIO))
    assert [(media.kind, media.port) for media in given.media] == [
        ("video", 0),
        ("audio", 4000),
        ("audio", 0),
        ("text", 0),
    ]
    assert is_valid_answer(offer, given)


def test_tones_alone_are_no_match() -> None:
    offer = description("m=audio 9000 RTP/AVP 18 101", TONES)
    assert answer(offer, description(AUDIO, TONES)).media[0].port == 0


def test_other_protocols_match_by_format() -> None:
    offer = description("m=application 9 udp/bfcp *", "m=message 9 tcp/msrp *", "m=audio 9 RTP/SAVP 0")
    given = answer(offer, description("m=message 2855 TCP/MSRP *", AUDIO))
    assert [media.port for media in given.media] == [0, 2855, 0]


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendonly", "sendonly", "inactive"),
        ("sendrecv", "recvonly", "recvonly"),
    ],
)
def test_directions(theirs: str, ours: str, expected: str) -> None:
    """RFC 3264 section 6.1."""
    offer = description("m=audio 9000 RTP/AVP 0", f"a={theirs}")
    given = answer(offer, description(f"a={ours}", AUDIO))
    assert given.direction(given.media[0]) == expected
    assert is_valid_answer(offer, given)


def test_times_are_the_offers_and_the_origin_ours() -> None:
    offer = SessionDescription.parse(b"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=5 9\r\n")
    given = answer(offer, description(AUDIO, "a=ptime:20"), Origin("me", "1", 3))
    assert (given.value("t"), given.origin.username, given.media) == ("5 9", "me", ())


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "0 media sections answer 1"),
        (["m=video 1 RTP/AVP 0"], "video answers audio"),
        (["m=audio 1 RTP/SAVP 0"], "RTP/SAVP answers RTP/AVP"),
        (["m=audio 1 RTP/AVP 18", "a=inactive"], "no format in common"),
        (["m=audio 1 RTP/AVP 0", "a=sendrecv"], "sendrecv answers sendonly"),
        (["m=audio 1 RTP/AVP 0", "a=recvonly"], ""),
        (["m=audio 1 RTP/AVP 96", "a=rtpmap:96 PCMU/8000", "a=inactive"], ""),
        (["m=audio 0 RTP/AVP 18"], ""),
    ],
)
def test_what_is_wrong_with_an_answer(lines: list[str], fault: str) -> None:
    offer = description("m=audio 9000 RTP/AVP 0 8", "a=sendonly")
    found = answer_fault(offer, description(*lines))
    assert found.endswith(fault)
    assert bool(found) == bool(fault)


def test_a_rejected_section_cannot_be_revived_by_its_answer() -> None:
    assert answer_fault(description("m=audio 0 RTP/AVP 0"), description(AUDIO)).endswith("port 0")
    bare = SessionDescription.parse(b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 9 RTP/AVP 0\r\n")
    assert answer_fault(description(AUDIO), bare).endswith("no connection")


def test_hold_and_resume() -> None:
    """RFC 3264 section 8.4."""
    session = description(AUDIO, "m=video 1 RTP/AVP 31", "a=recvonly")
    held = hold(session)
    assert [held.direction(media) for media in held.media] == ["sendonly", "inactive"]
    assert held.origin.version == 2
    again = resume(held)
    assert [again.direction(media) for media in again.media] == ["sendrecv", "recvonly"]
    assert [is_held(each) for each in (session, held, again)] == [False, True, False]
    assert is_held(description("m=audio 1 RTP/AVP 0", "c=IN IP4 0.0.0.0"))
    assert not is_held(description("m=audio 0 RTP/AVP 0"))


def test_what_may_follow_an_offer() -> None:
    """RFC 3264 section 8."""
    session = description(AUDIO)
    assert next_offer_fault(session, hold(session)) == ""
    assert next_offer_fault(session, session) == ""
    assert "without a new version" in next_offer_fault(session, description("m=audio 1 RTP/AVP 0"))
    assert "fewer" in next_offer_fault(session, description(version=2))
    assert "rise by one" in next_offer_fault(session, description(AUDIO, version=3))
    assert "another session" in next_offer_fault(session, session.replaced(origin=Origin("x", "9", 2)))


def test_a_broken_offer_is_a_value() -> None:
    assert isinstance(offer_of(b"rubbish"), SdpError)
    assert isinstance(offer_of(description(AUDIO).encode()), SessionDescription)


def test_make_direction() -> None:
    assert [make_direction(*pair) for pair in ((True, True), (True, False), (False, True), (False, False))] == [
        *("sendrecv", "sendonly", "recvonly", "inactive")
    ]

"""Offer and answer without the application: hold and resume, streams refused, the version counted up (RFC 3264)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dum.usage.offer_answer import answer_to
from tests.dum.usage.one_call import ANSWER, OFFER

VIDEO = b"m=video 4002 RTP/AVP 31\r\n"


def lines(description: bytes) -> list[bytes]:
    return description.split(b"\r\n")


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_session_that_stays_is_answered_with_the_same_bytes(line_end: bytes) -> None:
    assert answer_to(OFFER.replace(b"\r\n", line_end), ANSWER) == ANSWER


def test_without_an_offer_ours_is_the_offer() -> None:
    assert answer_to(b"", ANSWER) == ANSWER


def test_without_a_description_of_ours_there_is_no_answer() -> None:
    assert answer_to(OFFER, b"") == b""


@pytest.mark.parametrize(
    ("offered", "answered"),
    [(b"sendonly", b"recvonly"), (b"recvonly", b"sendonly"), (b"inactive", b"inactive")],
)
@pytest.mark.parametrize("level", ["session", "stream"])
def test_directions(level: str, offered: bytes, answered: bytes) -> None:
    line = b"a=" + offered + b"\r\n"
    offer = OFFER + line if level == "stream" else OFFER.replace(b"m=", line + b"m=")
    assert lines(answer_to(offer, ANSWER))[-2] == b"a=" + answered


def test_a_direction_of_the_stream_comes_before_that_of_the_session() -> None:
    offer = OFFER.replace(b"m=", b"a=inactive\r\nm=") + b"a=sendrecv\r\n"
    assert answer_to(offer, ANSWER) == ANSWER


def test_an_address_of_zeros_holds() -> None:
    """RFC 3264 8.4, as RFC 2543 peers do it."""
    assert lines(answer_to(OFFER.replace(b"c=IN IP4 192.0.2.2", b"c=IN IP4 0.0.0.0"), ANSWER))[-2] == b"a=recvonly"


def test_a_resume_takes_the_direction_away() -> None:
    held = answer_to(OFFER + b"a=sendonly\r\n", ANSWER)
    resumed = answer_to(OFFER, held)
    assert b"a=recvonly" in held
    assert b"a=recvonly" not in resumed


def test_the_version_is_counted_up_with_each_change() -> None:
    held = answer_to(OFFER + b"a=sendonly\r\n", ANSWER)
    assert lines(held)[1] == b"o=- 7 2 IN IP4 192.0.2.1"
    assert answer_to(OFFER + b"a=sendonly\r\n", held) == held
    assert lines(answer_to(OFFER, held))[1] == b"o=- 7 3 IN IP4 192.0.2.1"


def test_streams_that_we_do_not_have_are_refused_with_port_0() -> None:
    answer = answer_to(OFFER + VIDEO, ANSWER)
    assert [line for line in lines(answer) if line.startswith(b"m=")] == [
        b"m=audio 5000 RTP/AVP 0",
        b"m=video 0 RTP/AVP 31",
    ]


def test_a_stream_that_the_offer_takes_away_is_refused() -> None:
    answer = answer_to((OFFER + VIDEO).replace(b"audio 4000", b"audio 0"), ANSWER)
    assert [line for line in lines(answer) if line.startswith(b"m=")] == [
        b"m=audio 0 RTP/AVP 0",
        b"m=video 0 RTP/AVP 31",
    ]


def test_an_answer_has_as_many_streams_as_the_offer() -> None:
    """RFC 3264 section 6."""
    ours = ANSWER + VIDEO
    for offer, count in ((OFFER, 1), (OFFER + VIDEO, 2), (OFFER + VIDEO + VIDEO, 3)):
        assert answer_to(offer, ours).count(b"m=") == count


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_bytes_that_are_no_description_raise_nothing(offer: bytes, local: bytes) -> None:
    assert isinstance(answer_to(offer, local), bytes)


@given(st.lists(st.sampled_from([b"m=", b"m=audio", b"m=audio 1", b"a=sendonly", b"c=", b"o=", b"o=- a 1 IN IP4 x"])))
def test_descriptions_with_gaps_raise_nothing(parts: list[bytes]) -> None:
    for offer, local in ((b"\r\n".join(parts), ANSWER), (OFFER, b"\r\n".join(parts))):
        assert isinstance(answer_to(offer, local), bytes)

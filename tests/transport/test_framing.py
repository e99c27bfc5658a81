import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import Limits
from transport.framing import StreamCodec


def message(body: bytes = b"", name: bytes = b"Content-Length", start: bytes = b"OPTIONS sip:a SIP/2.0") -> bytes:
    return start + b"\r\nVia: SIP/2.0/TCP a\r\n" + name + b": %d\r\n\r\n" % len(body) + body


@pytest.fixture
def codec() -> StreamCodec:
    return StreamCodec(Limits(message=4000, header=1000))


WHOLE = [message(), message(b"v=0\r\n"), message(b"\r\n\r\n", b"l"), message(b"x" * 500, b"CONTENT-length")]


def test_messages_come_whole_and_in_order(codec: StreamCodec) -> None:
    assert codec.feed(b"".join(WHOLE)) == WHOLE
    assert not codec.partial
    assert codec.encode(WHOLE[0]) == WHOLE[0]


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60))
def test_however_the_bytes_are_cut_the_messages_are_the_same(sizes: list[int]) -> None:
    codec = StreamCodec(Limits())
    stream = b"\r\n\r\n".join(WHOLE) + b"\r\n\r\n"
    found, replies, position = [], b"", 0
    for size in [*sizes, len(stream)]:
        found += codec.feed(stream[position : position + size])
        replies += codec.reply()
        position += size
    assert found == WHOLE
    assert replies == b"\r\n" * 4
    assert codec.error is None


def test_one_byte_at_a_time(codec: StreamCodec) -> None:
    found = []
    for byte in b"".join(WHOLE):
        found += codec.feed(bytes([byte]))
    assert found == WHOLE


def test_a_ping_is_answered(codec: StreamCodec) -> None:
    """RFC 5626 section 3.5.1: double CRLF is answered with a single one."""
    assert codec.feed(b"\r\n") == []
    assert codec.reply() == b""
    assert codec.feed(b"\r\n") == []
    assert codec.reply() == b"\r\n"
    assert codec.reply() == b""


def test_a_pong_answers_our_pings(codec: StreamCodec) -> None:
    assert codec.ping() == b"\r\n\r\n"
    assert codec.ping() == b"\r\n\r\n"
    assert codec.pings == 2
    codec.feed(b"\r\n")
    assert codec.pings == 0
    assert codec.reply() == b""


def test_a_ping_cut_within_a_line_end(codec: StreamCodec) -> None:
    for part in (b"\r", b"\n\r", b"\n"):
        codec.feed(part)
    assert codec.reply() == b"\r\n"
    assert not codec.partial


def test_empty_lines_before_a_message_are_ignored(codec: StreamCodec) -> None:
    """RFC 3261 section 7.5."""
    assert codec.feed(b"\r\n" + WHOLE[0]) == [WHOLE[0]]
    assert codec.feed(b"\r\n" + WHOLE[1]) == [WHOLE[1]]
    assert codec.reply() == b"", "two single CRLFs around a message are no ping"


def test_a_folded_content_length_is_understood(codec: StreamCodec) -> None:
    folded = b"OPTIONS sip:a SIP/2.0\r\nContent-Length \t:\r\n  4\r\n\r\nbody"
    assert codec.feed(folded) == [folded]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\nVia: a\r\n\r\n", "needs one Content-Length, this one has 0"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n", "this one has 2"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n", "is no number"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 0x10\r\n\r\n", "is no number"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 1, 1\r\n\r\n", "is no number"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: \xd9\xa3\r\n\r\n", "is no number"),
        (b"OPTIONS sip:a SIP/2.0\r\nl:\r\n\r\n", "is no number"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: " + b"9" * 400 + b"\r\n\r\n", "is no number"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "cannot begin with the byte 0x16"),
        (b"\n\n", "cannot begin with the byte 0x0a"),
        (b"\x80\x05hello", "cannot begin with the byte 0x80"),
    ],
)
def test_what_cannot_be_framed_ends_the_stream_after_what_was_whole(
    codec: StreamCodec, wrong: bytes, reason: str
) -> None:
    assert codec.feed(WHOLE[0] + wrong + WHOLE[1]) == [WHOLE[0]]
    assert codec.error is not None
    assert codec.error.cause == "framing"
    assert reason in codec.error.reason
    assert codec.feed(WHOLE[0]) == []
    assert not codec.partial


@pytest.mark.parametrize("at_once", [True, False])
def test_sizes_are_bounded(at_once: bool) -> None:
    for wrong in (b"OPTIONS" + b"x" * 1000, b"OPTIONS sip:a SIP/2.0\r\nl: 3990\r\n\r\n"):
        codec = StreamCodec(Limits(message=4000, header=1000))
        for part in [wrong] if at_once else [wrong[index : index + 1] for index in range(len(wrong))]:
            codec.feed(part)
        assert codec.error is not None
        assert codec.error.cause == "oversized"


def test_the_end_within_a_message_is_an_error(codec: StreamCodec) -> None:
    codec.feed(WHOLE[3][:-1])
    assert codec.partial
    codec.ended()
    assert codec.error is not None
    assert "ended within a message" in codec.error.reason


def test_the_end_between_messages_is_none(codec: StreamCodec) -> None:
    codec.feed(WHOLE[3])
    codec.ended()
    assert codec.error is None
    assert codec.close() == codec.start() == b""


def test_a_trickling_message_costs_linear_time() -> None:
    """Bytes looked at grow with the size, not with its square: the search resumes where it stopped."""
    codec = StreamCodec(Limits(message=1_000_000, header=900_000))
    codec.feed(b"OPTIONS sip:a SIP/2.0\r\n")
    for size in range(0, 500_000, 1000):
        codec.feed(b"X: " + b"y" * 995 + b"\r\n")
        assert codec._searched >= size


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    codec = StreamCodec(Limits(message=500, header=300))
    for chunk in chunks:
        codec.feed(chunk)
        codec.reply()
    codec.ended()


@given(
    st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"l: 3\r\n", b"Content-Length:", b" 3", b"abc", b"\r\n\r\n", *WHOLE]),
        max_size=30,
    )
)
def test_what_is_handed_up_are_pieces_of_the_stream(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    together, apart = StreamCodec(Limits()), StreamCodec(Limits())
    found = together.feed(stream)
    assert [whole for part in parts for whole in apart.feed(part)] == found
    position = 0
    for whole in found:
        position = stream.index(whole, position) + len(whole)

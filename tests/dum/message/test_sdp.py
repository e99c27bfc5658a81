import pytest
from hypothesis import given
from hypothesis import strategies as st

from dum.message.sdp import Origin, SdpError, SessionDescription

OFFER = (
    b"v=0\r\no=alice 2890844526 2890844526 IN IP4 host.example.com\r\ns= \r\ni=A seminar\r\nu=http://x/\r\n"
    b"e=a@b\r\np=+1\r\nc=IN IP4 192.0.2.1\r\nb=AS:128\r\nt=0 0\r\nr=7d 1h 0 25h\r\nt=1 2\r\nz=0 0\r\nk=clear:x\r\n"
    b"a=recvonly\r\na=group:BUNDLE 0\r\n"
    b"m=audio 49170/2 RTP/AVP 0 96 97\r\na=rtpmap:96 OPUS/48000/2\r\na=rtpmap:97 iLBC/8000/1\r\na=sendrecv\r\n"
    b"m=video 0 RTP/SAVPF 31\r\ni=v\r\nc=IN IP6 ::1\r\nb=TIAS:64000\r\na=bundle-only\r\n"
)


def test_every_line_comes_back() -> None:
    session = SessionDescription.parse(OFFER)
    assert session.encode() == OFFER
    assert SessionDescription.parse(session.encode()) == session
    assert hash(SessionDescription.parse(OFFER)) == hash(session)
    assert "audio" in repr(session)


def test_what_is_read() -> None:
    session = SessionDescription.parse(OFFER)
    audio, video = session.media
    assert (session.origin.username, session.origin.version, session.origin.address) == (
        "alice",
        2890844526,
        "host.example.com",
    )
    assert (session.value("s"), session.bandwidths, session.attribute("group")) == (" ", (("AS", 128),), "BUNDLE 0")
    assert (audio.kind, audio.port, audio.ports, audio.protocol, audio.formats) == (
        "audio",
        49170,
        2,
        "RTP/AVP",
        ("0", "96", "97"),
    )
    assert [audio.encoding(payload) for payload in ("0", "96", "97", "98")] == [
        "pcmu/8000",
        "opus/48000/2",
        "ilbc/8000",
        "",
    ]
    assert [session.direction(media) for media in session.media] == ["sendrecv", "recvonly"]
    assert [session.connection_of(media) for media in session.media] == [
        ("IN", "IP4", "192.0.2.1"),
        ("IN", "IP6", "::1"),
    ]
    assert (audio.attribute("sendrecv"), audio.attribute("none")) == ("", None)
    assert not video.rejected


def test_what_phones_get_wrong_is_let_pass() -> None:
    session = SessionDescription.parse(b"v=0\no=- 1 1 IN IP4 h\nt=0 0\nc=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 0\n\n")
    assert session.direction(session.media[0]) == "sendrecv"
    assert SessionDescription.parse(b"v=0\r\no=- 1 1 IN IP4 h").media == ()


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"v=1\r\no=- 1 1 IN IP4 h",
            b"v=0",
            b"v=0\r\ns=-",
            b"o=- 1 1 IN IP4 h\r\nv=0",
            b"v=0\r\no=- 1 x IN IP4 h",
        ),
        *(b"v=0\r\no=- 1 1 IN IP4 h\r\n" + rest for rest in (b"q=1", b"nonsense", b" c=x", b"c=IN IP4", b"c=a b c d")),
        *(
            b"v=0\r\no=- 1 1 IN IP4 h\r\nm=" + rest
            for rest in (b"audio", b"audio 65536 RTP/AVP 0", b"audio x RTP/AVP 0")
        ),
        *(b"v=0\r\no=- 1 1 IN IP4 h\r\nm=a 1 RTP/AVP 0\r\n" + rest for rest in (b"t=0 0", b"s=x", b"c=IN", b"\r\na=b")),
        b"v=0\r\no=- 1 1 IN IP4 h\r\na=" + b"x" * 70_000,
    ],
)
def test_broken(body: bytes) -> None:
    with pytest.raises(SdpError):
        SessionDescription.parse(body)


@given(st.binary(max_size=60), st.integers(0, len(OFFER)), st.integers(0, 20))
def test_rubbish_raises_nothing_else(rubbish: bytes, at: int, cut: int) -> None:
    try:
        session = SessionDescription.parse(OFFER[:at] + rubbish + OFFER[at + cut :])
    except SdpError:
        return
    assert SessionDescription.parse(session.encode()) == session


def test_origins() -> None:
    origin = Origin.parse("- 1 7 IN IP4 h")
    assert origin.next().version == 8
    assert origin.same_session(origin.next())
    assert not origin.same_session(Origin.parse("- 2 7 IN IP4 h"))
    with pytest.raises(SdpError):
        Origin.parse("- 1 " + "9" * 50 + " IN IP4 h")


def test_directions_are_set_for_each_section() -> None:
    session = SessionDescription.parse(OFFER).with_directions(["inactive", "sendonly"])
    assert session.own_direction == ""
    assert [media.own_direction for media in session.media] == ["inactive", "sendonly"]
    assert b"a=sendrecv" not in session.encode()
    with pytest.raises(ValueError, match="shorter"):
        session.with_directions(["inactive"])


@pytest.mark.parametrize(
    ("payload", "name"), [("8", "pcma/8000"), ("9", "g722/8000"), ("18", "g729/8000"), ("34", "h263/90000")]
)
def test_assigned_payload_types(payload: str, name: str) -> None:
    session = SessionDescription.parse(b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 1 RTP/AVP 0\r\n")
    assert session.media[0].encoding(payload) == name

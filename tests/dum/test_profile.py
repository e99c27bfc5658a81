"""What a user agent says of itself, and where it can be reached."""

import pytest

from dum.message import NameAddress, Via
from dum.profile import KNOWN_METHODS, Local, Profile
from dum.timers import RFC3261, Timing


def test_what_holds_unless_said_otherwise() -> None:
    profile = Profile()
    assert profile.from_uri == "sip:anonymous@anonymous.invalid"
    assert profile.allow == ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS")
    assert (profile.supported, profile.accept) == ((), ("application/sdp",))
    assert profile.max_forwards == 70
    assert profile.timing is RFC3261
    assert profile.trying_after == 0.2
    assert set(profile.allow) <= KNOWN_METHODS


def test_what_is_said_otherwise() -> None:
    timing = Timing(t1=0.1)
    profile = Profile(
        from_uri="sip:alice@h",
        allow=("INVITE",),
        supported=("timer",),
        accept=(),
        user_agent="x",
        max_forwards=9,
        timing=timing,
        trying_after=1.0,
    )
    assert (profile.from_uri, profile.allow, profile.supported) == ("sip:alice@h", ("INVITE",), ("timer",))
    assert (profile.accept, profile.user_agent, profile.max_forwards) == ((), "x", 9)
    assert (profile.timing, profile.trying_after) == (timing, 1.0)


LOCAL = Local(
    {
        "UDP": "192.0.2.1:5060",
        "TLS": "192.0.2.1:5061",
        "WSS": "192.0.2.1:443",
        "TCP6": "[2001:db8::1]:5060",
    }
)


class TestLocal:
    """Via (8.1.1.7, RFC 3581) and Contact (8.1.1.8) by the place that a request leaves by."""

    @pytest.mark.parametrize(
        ("place", "transport", "host", "port"),
        [
            ("UDP", "UDP", "192.0.2.1", 5060),
            ("TLS", "TLS", "192.0.2.1", 5061),
            ("TCP6", "TCP", "2001:db8::1", 5060),
        ],
    )
    def test_via(self, place: str, transport: str, host: str, port: int) -> None:
        via = Via.parse(LOCAL.via(place, "z9hG4bK1"))
        assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, "z9hG4bK1")
        assert "rport" in LOCAL.via(place, "z9hG4bK1")

    @pytest.mark.parametrize(
        ("place", "contact"),
        [
            ("UDP", "<sip:192.0.2.1:5060>"),
            ("TLS", "<sip:192.0.2.1:5061;transport=tls>"),
            ("WSS", "<sip:192.0.2.1:443;transport=wss>"),
            ("TCP6", "<sip:[2001:db8::1]:5060;transport=tcp>"),
        ],
    )
    def test_contact(self, place: str, contact: str) -> None:
        assert LOCAL.contact(place) == contact
        assert str(NameAddress.parse(contact)) == contact

    def test_a_host_that_is_still_a_name_may_turn_out_to_be_an_ipv6_one(self) -> None:
        assert LOCAL.contact("TCP") == LOCAL.contact("TCP6")
        assert LOCAL.via("TCP", "b") == LOCAL.via("TCP6", "b")

    @pytest.mark.parametrize("place", ["UDP6", "WS", ""])
    def test_a_place_without_socket(self, place: str) -> None:
        with pytest.raises(KeyError):
            LOCAL.via(place, "z9hG4bK1")
        with pytest.raises(KeyError):
            LOCAL.contact(place)

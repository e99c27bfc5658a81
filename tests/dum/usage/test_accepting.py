"""The 2xx of the UAS core: what is in it, how it is repeated, and the 487 of an INVITE that waits in vain."""

from types import SimpleNamespace

import pytest

from dum.effects import Effect, Hop
from dum.timers import RFC3261
from dum.usage.accepting import accepted, acknowledged, own_fields, place_of, repeated, response_to_invite, terminated
from dum.usage.session import Command
from tests.dum.usage.one_call import ANSWER, THERE, OneCall, described


def flow(transport: str, host: str) -> SimpleNamespace:
    return SimpleNamespace(transport=transport, remote=SimpleNamespace(host=host))


@pytest.mark.parametrize(
    ("destination", "place"),
    [
        (Hop("UDP", "192.0.2.1", 5060), "UDP"),
        (Hop("TCP", "2001:db8::1", 5060), "TCP6"),
        (flow("TLS", "192.0.2.1"), "TLS"),
        (flow("UDP", "2001:db8::1"), "UDP6"),
    ],
)
def test_the_place_that_something_leaves_by(destination: object, place: str) -> None:
    assert place_of(destination) == place


def test_the_fields_of_our_own() -> None:
    given = OneCall().given()
    assert own_fields(given, THERE) == [
        ("Contact", "<sip:192.0.2.1:5060>"),
        ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS"),
        ("Server", "sipdum"),
    ]
    given.agent.profile.supported = ("timer", "100rel")
    given.agent.profile.user_agent = ""
    assert own_fields(given, Hop("UDP", "2001:db8::9", 5060))[0] == ("Contact", "<sip:[2001:db8::1]:5060>")
    assert own_fields(given, THERE)[2:] == [("Supported", "timer, 100rel")]


class TestResponse:
    """12.1.1 and 13.3.1."""

    @pytest.mark.parametrize("status", [180, 200, 486])
    def test_contact_goes_into_what_makes_a_dialog(self, status: int) -> None:
        call = OneCall.received()
        assert call.usage.received is not None
        made = response_to_invite(call.usage.received, call.usage, call.given(), status, b"")
        assert (made.header("Contact") is not None) is (status < 300)
        assert made.to_tag == call.usage.require_dialog().local_tag

    @pytest.mark.parametrize(
        ("fields", "content_type"),
        [((), "application/sdp"), ((("content-type", "multipart/mixed"),), "multipart/mixed")],
    )
    def test_the_type_of_the_body(self, fields: tuple[tuple[str, str], ...], content_type: str) -> None:
        call = OneCall.received().command("ANSWER", 200, ANSWER, fields)
        assert call.answered().headers("Content-Type") == (content_type,)

    def test_without_body_there_is_no_type(self) -> None:
        assert OneCall.received().command("ANSWER").answered().header("Content-Type") is None

    def test_the_reason_of_the_application(self) -> None:
        call = OneCall.received()
        assert call.usage.received is not None
        given = call.given(command=Command("REJECT", 486, "At Lunch"))
        assert response_to_invite(call.usage.received, call.usage, given, 486, b"").reason == "At Lunch"


def test_accepting_repeating_and_acknowledging() -> None:
    call = OneCall.received()
    usage, effects = call.usage.copy(), list[Effect]()
    accepted(usage, call.given(command=Command("ANSWER", 202, None, ANSWER)), RFC3261, effects)
    assert described(effects) == ["server 202", "start 2XX 0.5", "start NO_ACK 32"]
    assert usage.local_body == ANSWER
    assert not usage.require_dialog().early
    effects.clear()
    repeated(usage, RFC3261, effects)
    repeated(usage, RFC3261, effects)
    assert described(effects) == ["send 202", "start 2XX 1", "send 202", "start 2XX 2"]
    effects.clear()
    acknowledged(usage, call.given(), RFC3261, effects)
    assert described(effects) == ["stop 2XX", "stop NO_ACK"]
    assert usage.received is None


def test_an_invite_that_waits_in_vain_is_answered_once() -> None:
    call = OneCall.received()
    usage, effects = call.usage.copy(), list[Effect]()
    terminated(usage, call.given(command=Command("END", 200, "No", b"body")), effects)
    terminated(usage, call.given(), effects)
    assert described(effects) == ["server 487"]
    assert usage.received is None


def test_an_invite_that_was_accepted_is_not_terminated() -> None:
    call = OneCall.received().command("ANSWER", 200, ANSWER)
    usage, effects = call.usage.copy(), list[Effect]()
    terminated(usage, call.given(), effects)
    assert effects == []
    assert usage.received is call.usage.received

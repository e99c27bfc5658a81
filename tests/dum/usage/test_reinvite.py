"""A re-INVITE of the peer: answered, held, refused, cancelled, and where it crosses other things."""

import pytest

from dum.errors import Refused
from dum.events import Established, Offered
from tests.dum.usage.one_call import ANSWER, OFFER, OneCall
from tests.dum.usage.test_invite import ROLES, established

HOLD = OFFER + b"a=sendonly\r\n"
ACCEPTED = ["server 200", "start 2XX 0.5", "start NO_ACK 32"]
STOPPED = ["stop 2XX", "stop NO_ACK"]


def asked(role: str) -> OneCall:
    """A call whose application wants to answer offers itself, with a re-INVITE that waits for it."""
    call = established(role)
    call.agent.answers_offers = False
    call.request("INVITE", HOLD)
    assert call.texts == ["tell Offered"]
    return call


class TestAnswered:
    """14.2, without and with the application."""

    @ROLES
    def test_the_answer_is_made_here(self, role: str) -> None:
        call = established(role)
        call.usage.local_body = ANSWER
        call.request("INVITE", OFFER)
        assert call.texts == ACCEPTED
        assert call.answered().body == ANSWER
        call.ack(seq=call.peer_seq)
        assert (call.state, call.texts) == ("Established", STOPPED)

    @ROLES
    def test_a_hold_is_answered_recvonly(self, role: str) -> None:
        call = established(role)
        call.usage.local_body = ANSWER
        body = call.request("INVITE", HOLD).answered().body
        assert body.endswith(b"m=audio 5000 RTP/AVP 0\r\na=recvonly\r\n")
        assert b"o=- 7 2 IN" in body
        assert call.usage.local_body == body
        call.ack(seq=call.peer_seq)
        body = call.request("INVITE", OFFER).answered().body
        assert b"a=" not in body
        assert b"o=- 7 3 IN" in body

    @ROLES
    def test_without_offer_ours_is_offered(self, role: str) -> None:
        call = established(role)
        call.usage.local_body = ANSWER
        assert call.request("INVITE").answered().body == ANSWER

    @ROLES
    def test_by_the_application(self, role: str) -> None:
        call = asked(role)
        assert isinstance(call.told[-1], Offered)
        assert call.told[-1].offer == HOLD
        call.command("ANSWER", 200, ANSWER)
        assert call.texts == ACCEPTED
        assert call.answered().body == ANSWER
        call.ack(seq=call.peer_seq)
        assert (call.state, call.texts, call.usage.received) == ("Established", STOPPED, None)
        with pytest.raises(Refused):
            call.command("ANSWER", 200, ANSWER)

    @ROLES
    def test_refused_by_the_application_leaves_the_session(self, role: str) -> None:
        call = asked(role).command("REJECT", 488)
        assert (call.state, call.texts) == ("Established", ["server 488"])
        assert call.request("INVITE", HOLD).texts == ["tell Offered"]

    @ROLES
    def test_cancelled_leaves_the_session(self, role: str) -> None:
        call = asked(role).cancel()
        assert (call.state, call.texts) == ("Established", ["server 487"])
        assert call.cancel().texts == []
        with pytest.raises(Refused):
            call.command("ANSWER", 200, ANSWER)

    @ROLES
    def test_the_2xx_is_repeated_and_given_up(self, role: str) -> None:
        call = established(role).request("INVITE", OFFER).fire("2XX")
        assert call.texts == ["send 200", "start 2XX 1"]
        call.fire("NO_ACK")
        assert (call.state, call.texts) == ("Mortal", [*STOPPED, "client BYE"])

    @ROLES
    def test_the_target_is_refreshed(self, role: str) -> None:
        call = established(role).request("INVITE", OFFER, [("Contact", "<sip:bob@192.0.2.77>")])
        call.ack(seq=call.peer_seq).request("INVITE", HOLD, [("Contact", "<sip:lost@192.0.2.66>")], seq=1)
        assert call.texts == ["server 500"]
        call.command("END")
        assert call.sent("BYE").request_uri == "sip:bob@192.0.2.77"

    @ROLES
    def test_a_contact_that_cannot_be_read_refreshes_nothing(self, role: str) -> None:
        call = established(role).request("INVITE", OFFER, [("Contact", "<<>")])
        assert call.texts == ACCEPTED
        assert call.usage.require_dialog().remote_target == "sip:bob@192.0.2.2"


class TestRefused:
    """What answers a re-INVITE that can't be taken."""

    def test_491_while_our_own_invite_is_pending(self) -> None:
        assert OneCall.placed().response(180).request("INVITE", OFFER).texts == ["server 491"]
        assert OneCall.placed(b"").response(200, body=OFFER).request("INVITE", OFFER).texts == ["server 491"]

    @ROLES
    def test_500_and_retry_after_while_an_earlier_one_waits(self, role: str) -> None:
        call = asked(role).request("INVITE", OFFER)
        assert call.texts == ["server 500"]
        assert 0 <= int(call.answered().header("Retry-After") or "") <= 10
        call.command("ANSWER", 200, ANSWER)  # the first one still waits
        assert call.texts == ACCEPTED

    def test_500_while_the_first_invite_is_not_answered(self) -> None:
        call = OneCall.received().command("RING", 180).request("INVITE", OFFER)
        assert (call.state, call.texts) == ("Early", ["server 500"])

    @ROLES
    def test_481_once_our_bye_is_on_its_way(self, role: str) -> None:
        """RFC 5407 3.2.2."""
        assert established(role).command("END").request("INVITE", OFFER).texts == ["server 481"]

    @ROLES
    def test_488_when_there_is_nothing_to_answer_an_offer_with(self, role: str) -> None:
        call = established(role)
        call.usage.local_body = b""
        assert call.request("INVITE", OFFER).texts == ["server 488"]
        assert call.request("INVITE").texts == ACCEPTED  # no offer, no answer
        call.ack(seq=call.peer_seq)
        call.agent.answers_offers = False
        assert call.request("INVITE", OFFER).texts == ["tell Offered"]

    def test_481_once_an_end_waits_for_the_ack(self) -> None:
        call = OneCall.received().command("ANSWER", 200, ANSWER).command("END").request("INVITE", OFFER)
        assert (call.state, call.texts) == ("Moratorium", ["server 481"])


class TestCrossings:
    """RFC 5407 3.1.4 and 3.1.5: a re-INVITE that overtakes the ACK."""

    def test_it_shows_that_the_2xx_has_arrived(self) -> None:
        call = OneCall.received().command("ANSWER", 200, ANSWER).request("INVITE", OFFER)
        assert call.state == "Established"
        assert call.texts == [*STOPPED, "tell Established", *ACCEPTED]
        assert call.told[-1] == Established("owner", b"")
        before = call.usage
        assert call.ack(seq=101).usage is before  # the late ACK of the first INVITE
        assert call.ack(seq=102).texts == STOPPED

    def test_it_is_refused_while_the_ack_has_to_bring_the_answer(self) -> None:
        call = OneCall.received(b"").command("ANSWER", 200, OFFER).request("INVITE", OFFER)
        assert (call.state, call.texts) == ("Moratorium", ["server 491"])
        assert call.ack(body=ANSWER).texts == [*STOPPED, "tell Established"]

    @ROLES
    def test_a_second_one_before_the_ack_of_the_first(self, role: str) -> None:
        call = established(role).request("INVITE", OFFER).request("INVITE", HOLD)
        assert call.texts == ACCEPTED
        call.ack(seq=call.peer_seq - 1)
        assert call.texts == []
        assert call.ack(seq=call.peer_seq).texts == STOPPED


class TestEnded:
    """15.1.2: what waits is answered when the dialog ends."""

    @ROLES
    def test_by_the_peer(self, role: str) -> None:
        assert asked(role).request("BYE").texts == ["server 200", "server 487", "tell Ended 200 bye by peer"]

    @ROLES
    def test_here(self, role: str) -> None:
        call = asked(role).command("END")
        assert (call.state, call.texts) == ("Mortal", ["server 487", "client BYE"])

    @ROLES
    def test_before_its_ack(self, role: str) -> None:
        call = established(role).request("INVITE", OFFER).command("END")
        assert call.texts == ["client BYE"]
        assert call.fire("2XX").texts == ["send 200", "start 2XX 1"]
        assert call.bye_answered().texts == [*STOPPED, "tell Ended 200 bye"]

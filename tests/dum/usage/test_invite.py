"""What reaches a usage from outside: requests, ACK, CANCEL, responses, timers and commands, for both roles."""

import pytest

from dum.errors import Refused
from dum.usage import invite
from tests.dum.usage.one_call import ANSWER, OneCall


def established(role: str) -> OneCall:
    """A call that stands, seen from one of its sides."""
    if role == "caller":
        return OneCall.placed().response(200, body=ANSWER)
    return OneCall.received().command("ANSWER", 200, ANSWER).ack()


ROLES = pytest.mark.parametrize("role", ["caller", "callee"])


class TestRequests:
    """12.2.2."""

    @ROLES
    def test_a_tag_that_no_dialog_has_is_answered_481(self, role: str) -> None:
        call = established(role)
        before = call.usage
        for method in ("BYE", "INVITE", "OPTIONS", "INFO"):
            call.request(method, tag="stranger")
            assert call.texts == ["server 481"]
            assert call.usage is before

    def test_before_there_is_a_dialog_481(self) -> None:
        call = OneCall.placed().request("BYE")
        assert (call.state, call.texts) == ("Preparative", ["server 481"])

    @ROLES
    def test_a_cseq_number_that_is_not_higher_is_answered_500(self, role: str) -> None:
        call = established(role).request("OPTIONS", seq=200)
        for method, seq in [("BYE", 199), ("INVITE", 200), ("OPTIONS", 1)]:
            call.request(method, seq=seq)
            assert (call.state, call.texts) == ("Established", ["server 500"])
        assert call.request("BYE", seq=201).state == "Morgue"

    @ROLES
    def test_a_gap_in_the_cseq_numbers_is_fine(self, role: str) -> None:
        assert established(role).request("BYE", seq=2**31 - 1).state == "Morgue"

    @ROLES
    def test_options_tells_what_this_user_agent_can(self, role: str) -> None:
        call = established(role).request("OPTIONS")
        assert call.texts == ["server 200"]
        answer = call.answered()
        assert answer.header("Accept") == "application/sdp"
        assert answer.header("Allow") == "INVITE, ACK, BYE, CANCEL, OPTIONS"
        assert answer.header("Contact") == "<sip:192.0.2.1:5060>"

    @ROLES
    def test_another_method_is_answered_405(self, role: str) -> None:
        call = established(role).request("INFO")
        assert call.texts == ["server 405"]
        assert call.answered().header("Allow") == "INVITE, ACK, BYE, CANCEL, OPTIONS"

    def test_a_bye_in_early_is_answered_and_cancels_the_invite(self) -> None:
        """RFC 4235 erratum: BYE in Early."""
        call = OneCall.placed().response(180).request("BYE")
        assert (call.state, call.texts) == ("Early", ["server 200", "client CANCEL unheard", "start CANCELLED 32"])
        call.response(487)
        assert call.texts[-1] == "tell Ended 487 cancelled"


class TestAck:
    """The ACK of a 2xx."""

    @ROLES
    def test_one_that_belongs_to_nothing_changes_nothing(self, role: str) -> None:
        call = established(role)
        before = call.usage
        assert call.ack(seq=999).usage is before

    def test_a_caller_that_has_not_been_answered_takes_none(self) -> None:
        call = OneCall.placed()
        before = call.usage
        assert call.ack().usage is before


class TestCancel:
    """The CANCEL of the peer: 9.2."""

    @ROLES
    def test_one_that_comes_when_nothing_waits_changes_nothing(self, role: str) -> None:
        call = established(role)
        before = call.usage
        assert call.cancel().usage is before


class TestResponses:
    """Responses to our requests."""

    @ROLES
    def test_provisional_responses_to_a_bye_change_nothing(self, role: str) -> None:
        call = established(role).command("END")
        before = call.usage
        assert call.bye_answered(100).usage is before

    @ROLES
    @pytest.mark.parametrize("status", [200, 401, 408, 481, 500, 603])
    def test_any_final_answer_to_our_bye_ends_the_call(self, role: str, status: int) -> None:
        assert established(role).command("END").bye_answered(status).texts == [f"tell Ended {status} bye"]

    @ROLES
    def test_no_answer_to_our_bye_ends_the_call(self, role: str) -> None:
        assert established(role).command("END").unanswered("BYE").texts == ["tell Ended 408 bye"]

    @ROLES
    def test_byes_cross(self, role: str) -> None:
        """RFC 5407 3.2.1."""
        call = established(role).command("END").request("BYE")
        assert (call.state, call.texts) == ("Mortal", ["server 200"])
        assert call.bye_answered().texts == ["tell Ended 200 bye"]

    def test_a_response_to_another_method_changes_nothing(self) -> None:
        call = established("callee")
        before = call.usage
        assert call.unanswered("OPTIONS").usage is before
        assert call.unanswered("INVITE").usage is before

    def test_late_responses_to_the_invite_change_nothing(self) -> None:
        call = established("caller")
        before = call.usage
        assert call.response(180).usage is before
        assert call.response(486).usage is before
        assert call.unanswered("INVITE").usage is before


class TestCommands:
    """What the application may ask when."""

    @ROLES
    @pytest.mark.parametrize("name", ["ANSWER", "REJECT", "RING"])
    def test_refused_when_nothing_waits(self, role: str, name: str) -> None:
        call = established(role)
        with pytest.raises(Refused, match="Established" if role == "callee" or name == "ANSWER" else "placed here"):
            call.command(name, 180)
        assert call.state == "Established"

    @pytest.mark.parametrize("state", ["Preparative", "Early"])
    def test_a_caller_cannot_answer_itself(self, state: str) -> None:
        call = OneCall.placed() if state == "Preparative" else OneCall.placed().response(180)
        with pytest.raises(Refused, match=f"can't answer a call in state {state}"):
            call.command("ANSWER", body=ANSWER)

    def test_a_second_answer_is_refused(self) -> None:
        call = OneCall.received().command("ANSWER", 200, ANSWER)
        for name in ("ANSWER", "REJECT", "RING"):
            with pytest.raises(Refused, match="Moratorium"):
                call.command(name)

    @ROLES
    def test_ending_twice_is_no_mistake(self, role: str) -> None:
        call = established(role).command("END")
        before = call.usage
        assert call.command("END").usage is before

    @ROLES
    def test_nothing_but_an_end_is_taken_after_the_end(self, role: str) -> None:
        call = established(role).command("END")
        with pytest.raises(Refused):
            call.command("ANSWER")

    @ROLES
    def test_the_fields_of_an_end_travel_in_the_bye(self, role: str) -> None:
        call = established(role).command("END", fields=(("Reason", "SIP;cause=200"),))
        assert call.sent("BYE").header("Reason") == "SIP;cause=200"


class TestTimers:
    """Timers that were stopped or replaced while they fired."""

    @ROLES
    @pytest.mark.parametrize("state", ["Established", "Mortal"])
    def test_stale_ones_change_nothing(self, role: str, state: str) -> None:
        call = established(role)
        if state == "Mortal":
            call.command("END")
        before = call.usage
        for letter in ("C", "CANCELLED", "2XX", "NO_ACK"):
            for generation in range(3):
                assert call.fire(letter, generation).usage is before

    def test_stale_ones_of_a_caller_change_nothing(self) -> None:
        call = OneCall.placed().response(180).response(180)
        before = call.usage
        for letter, generation in [("C", 0), ("C", 1), ("C", 3), ("CANCELLED", 0), ("2XX", 0), ("NO_ACK", 0)]:
            assert call.fire(letter, generation).usage is before


def test_what_only_more_2xx_could_need_is_forgotten() -> None:
    call = OneCall.placed().response(180, tag="one").response(180, tag="two").response(200, tag="one")
    after = invite.invite_transaction_ended(call.usage)
    assert (after.acks, after.forks) == ((), ())
    assert len(call.usage.acks) == len(call.usage.forks) == 1
    assert invite.invite_transaction_ended(after) is after


@ROLES
def test_a_response_of_no_waiting_invite_that_cannot_be_sent_changes_nothing(role: str) -> None:
    call = established(role)
    before = call.usage
    assert call.unreachable("sINVITE 7").usage is before

"""The callee's figure: every arc with its effects; ending before the ACK, and an ACK that never comes."""

import pytest

from dum.events import Established, IncomingCall
from dum.message import HeaderError, Request, Response
from dum.usage import callee
from dum.usage.callee import FIGURE
from dum.usage.session import Command
from tests.dum.usage.one_call import ANSWER, OFFER, OneCall, parsed_request


def in_state(state: str) -> OneCall:
    """A callee in `state`."""
    call = OneCall.received()
    if state == "Early":
        call.command("RING", 180)
    elif state != "Preparative":
        call.command("ANSWER", 200, ANSWER)
    if state in ("Established", "Mortal"):
        call.ack()
    if state == "Mortal":
        call.command("END")
    assert call.state == state
    return call


STOPPED = ["stop 2XX", "stop NO_ACK"]
ACCEPTED = ["server 200", "start 2XX 0.5", "start NO_ACK 32"]
BY_PEER = "tell Ended 200 bye by peer"
ARCS = [
    (state, event, next_state, expected)
    for state in ("Preparative", "Early")
    for event, next_state, expected in (
        ("RING", "Early", ["server 180"]),
        ("ANSWER", "Moratorium", ACCEPTED),
        ("REJECT", "Morgue", ["server 486", "tell Ended 486 rejected"]),
        ("END", "Morgue", ["server 480", "tell Ended 480 rejected"]),
        ("CANCEL", "Morgue", ["server 487", "tell Ended 487 cancelled by peer"]),
        ("BYE", "Morgue", ["server 200", "server 487", "tell Ended 487 cancelled by peer"]),
        ("UNREACHABLE", "Morgue", ["server 480", "tell Ended 503 transport"]),
    )
] + [
    ("Moratorium", "ACK", "Established", [*STOPPED, "tell Established"]),
    ("Moratorium", "ACK_ENDS", "Mortal", [*STOPPED, "client BYE"]),
    ("Moratorium", "ACK_OVERTAKEN", "Established", [*STOPPED, "tell Established"]),
    ("Moratorium", "NO_ACK", "Mortal", [*STOPPED, "client BYE"]),
    ("Moratorium", "BYE", "Morgue", ["server 200", *STOPPED, BY_PEER]),
    ("Moratorium", "END", "Moratorium", []),
    ("Established", "NO_ACK", "Mortal", [*STOPPED, "client BYE"]),
    ("Established", "BYE", "Morgue", ["server 200", BY_PEER]),
    ("Established", "END", "Mortal", ["client BYE"]),
    ("Mortal", "BYE", "Mortal", ["server 200"]),
    ("Mortal", "BYE_DONE", "Morgue", ["tell Ended 200 bye"]),
]
COMMANDS = {"RING": (180, b""), "ANSWER": (200, ANSWER), "REJECT": (486, b""), "END": (480, b"")}


def given(call: OneCall, event: str) -> tuple[Request | Response | None, Command | None]:
    """What comes with an event."""
    if event in COMMANDS:
        status, body = COMMANDS[event]
        return None, Command(event, status, None, body)
    match event:
        case "BYE":
            return call.request_of_peer("BYE"), None
        case "ACK" | "ACK_ENDS":
            return call.request_of_peer("ACK", seq=101), None
        case "BYE_DONE" if call.clients:
            return parsed_request(call.clients[-1].data).respond(200), None
    return None, None


@pytest.mark.parametrize(("state", "event", "next_state", "expected"), ARCS)
def test_arc(state: str, event: str, next_state: str, expected: list[str]) -> None:
    call = in_state(state)
    message, command = given(call, event)
    call.advance(event, message, command)
    assert call.state == next_state
    assert call.texts == expected


def test_every_arc_is_in_the_table_above() -> None:
    assert sorted(arc[:3] for arc in ARCS) == sorted(arc[:3] for arc in FIGURE.arcs)


@pytest.mark.parametrize(("state", "event"), [(s, e) for s, events in FIGURE.ignores.items() for e in sorted(events)])
def test_ignored(state: str, event: str) -> None:
    call = in_state(state)
    before = call.usage
    message, command = given(call, event)
    call.advance(event, message, command)
    assert call.usage is before
    assert call.texts == []


class TestIncoming:
    """A new INVITE, and the responses to it: 13.3.1."""

    def test_the_application_is_told(self) -> None:
        call = OneCall.received()
        (event,) = call.told
        assert isinstance(event, IncomingCall)
        assert event.offer == OFFER
        assert event.request is call.invite
        assert call.state == "Preparative"

    def test_every_response_has_the_same_tag(self) -> None:
        call = OneCall.received().command("RING", 180)
        ringing = call.answered()
        call.command("RING", 183, OFFER)
        progress = call.answered()
        call.command("ANSWER", 200, ANSWER)
        ok = call.answered()
        assert ringing.to_tag == progress.to_tag == ok.to_tag == call.usage.require_dialog().local_tag
        assert [response.status for response in (ringing, progress, ok)] == [180, 183, 200]
        assert progress.body == OFFER
        assert ok.body == ANSWER
        assert ok.header("Contact") == ringing.header("Contact") == "<sip:192.0.2.1:5060>"
        assert ok.header("Content-Type") == "application/sdp"
        assert ok.header("Allow") == "INVITE, ACK, BYE, CANCEL, OPTIONS"

    def test_record_route_goes_back(self) -> None:
        routes = [("Record-Route", "<sip:p1.example.com;lr>"), ("Record-Route", "<sip:p2.example.com;lr>")]
        call = OneCall.received(fields=routes).command("ANSWER", 200, ANSWER)
        assert call.answered().headers("Record-Route") == ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")
        call.ack().command("END")
        assert call.sent("BYE").headers("Route") == ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")

    def test_fields_of_the_application_are_added(self) -> None:
        fields = (("Retry-After", "60"),)
        call = OneCall.received().command("REJECT", 486, fields=fields)
        assert call.answered().header("Retry-After") == "60"

    def test_a_487_has_nothing_of_the_application(self) -> None:
        call = OneCall.received().command("RING", 180, fields=(("Subject", "x"),)).cancel()
        assert call.answered().status == 487
        assert call.answered().header("Subject") is None

    def test_a_request_whose_contact_cannot_be_read_is_the_callers_to_refuse(self) -> None:
        call = OneCall()
        request = call.request_of_peer("INVITE", fields=[("Record-Route", "<<")])
        with pytest.raises(HeaderError):
            callee.start("owner", call.given(request), [])


class TestAccepted:
    """13.3.1.4 and section 15: the 2xx, its ACK, and an end in between."""

    def test_the_2xx_is_repeated_until_the_ack(self) -> None:
        call = in_state("Moratorium")
        data = call.answered().encode()
        delays = []
        for _ in range(5):
            delays.append(call.timers["2XX"][0])
            call.fire("2XX")
            assert call.texts == ["send 200", f"start 2XX {min(2 * delays[-1], 4):g}"]
            assert call.effects[0].data == data  # type: ignore[union-attr]
        assert delays == [0.5, 1, 2, 4, 4]
        call.ack()
        assert not call.timers
        assert call.told[-1] == Established("owner", b"")

    def test_the_ack_brings_the_answer(self) -> None:
        call = OneCall.received(b"").command("ANSWER", 200, OFFER).ack(body=ANSWER)
        assert call.told[-1] == Established("owner", ANSWER)

    def test_another_ack_changes_nothing(self) -> None:
        call = in_state("Established")
        before = call.usage
        assert call.ack().usage is before

    @pytest.mark.parametrize(("seq", "tag"), [(100, "peer"), (102, "peer"), (101, "other")])
    def test_an_ack_of_something_else_changes_nothing(self, seq: int, tag: str) -> None:
        call = in_state("Moratorium")
        before = call.usage
        assert call.ack(seq=seq, tag=tag).usage is before

    def test_an_end_before_the_ack_waits_for_it(self) -> None:
        call = in_state("Moratorium").command("END").command("END")
        assert (call.state, call.texts) == ("Moratorium", [])
        call.ack()
        assert call.texts == [*STOPPED, "client BYE"]
        call.bye_answered()
        assert [type(event).__name__ for event in call.told] == ["IncomingCall", "Ended"]

    def test_an_end_before_an_ack_that_never_comes(self) -> None:
        call = in_state("Moratorium").command("END").fire("NO_ACK")
        assert call.texts == [*STOPPED, "client BYE"]

    def test_an_end_that_waits_and_a_bye_of_the_peer(self) -> None:
        call = in_state("Moratorium").command("END").request("BYE")
        assert call.texts == ["server 200", *STOPPED, BY_PEER]

    def test_without_ack_a_bye_goes_out_after_64_t1(self) -> None:
        call = in_state("Moratorium")
        assert call.timers["NO_ACK"][0] == 32
        call.fire("NO_ACK")
        assert (call.state, call.texts) == ("Mortal", [*STOPPED, "client BYE"])
        assert call.sent("BYE").cseq > 0
        call.unanswered("BYE")
        assert call.texts == ["tell Ended 408 bye"]

    def test_timers_that_come_too_late_change_nothing(self) -> None:
        call = in_state("Established")
        before = call.usage
        for letter, generation in [("2XX", 0), ("NO_ACK", 101), ("C", 0), ("CANCELLED", 101)]:
            assert call.fire(letter, generation).usage is before
        call = in_state("Moratorium").fire("2XX")
        before = call.usage
        assert call.fire("2XX", 0).usage is before
        assert call.fire("NO_ACK", 99).usage is before


class TestCrossings:
    """RFC 5407 section 3: CANCEL and BYE that cross an answer, two BYEs."""

    def test_a_cancel_after_the_2xx_has_no_effect(self) -> None:
        """3.1.2."""
        call = in_state("Moratorium")
        before = call.usage
        assert call.cancel().usage is before

    def test_a_bye_of_the_early_dialog_after_the_2xx_ends_it(self) -> None:
        """3.1.3."""
        assert in_state("Moratorium").request("BYE").texts == ["server 200", *STOPPED, BY_PEER]

    def test_a_bye_in_early_ends_the_invite_with_487(self) -> None:
        call = in_state("Early").request("BYE")
        assert call.texts == ["server 200", "server 487", "tell Ended 487 cancelled by peer"]

    def test_two_byes_cross(self) -> None:
        """3.2.1."""
        call = in_state("Mortal").request("BYE")
        assert (call.state, call.texts) == ("Mortal", ["server 200"])
        call.bye_answered(481)
        assert call.texts == ["tell Ended 481 bye"]

    def test_a_response_that_cannot_be_sent_ends_a_call_that_is_not_answered(self) -> None:
        assert in_state("Early").unreachable().texts == ["server 480", "tell Ended 503 transport"]
        assert in_state("Early").unreachable("sINVITE 99").texts == []

    def test_a_2xx_that_cannot_be_sent_is_repeated(self) -> None:
        call = in_state("Moratorium")
        before = call.usage
        assert call.unreachable().usage is before
        assert call.fire("2XX").texts[0] == "send 200"

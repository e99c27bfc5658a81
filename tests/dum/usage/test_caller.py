"""The caller's figure: every arc with its effects; forks, cancelling and what crosses on the wire."""

import pytest

from dum.effects import Send
from dum.events import AnswerWanted, Established, Progress
from dum.message import Request, Response
from dum.usage.caller import FIGURE, FORKS_KEPT, start, target_of_to
from dum.usage.session import Command
from tests.dum.usage.one_call import ANSWER, OFFER, OneCall, parsed_request, snapshot


def in_state(state: str) -> OneCall:
    """A caller in `state`; in Moratorium the application still has to answer the offer of the 2xx."""
    match state:
        case "Preparative":
            call = OneCall.placed()
        case "Early":
            call = OneCall.placed().response(180)
        case "Moratorium":
            call = OneCall.placed(b"").response(200, body=OFFER)
        case "Established":
            call = OneCall.placed().response(200, body=ANSWER)
        case _:
            call = OneCall.placed().response(200, body=ANSWER).command("END")
    assert call.state == state
    return call


ENDED_BY_CANCEL = "tell Ended 487 cancelled"
BY_PEER = "tell Ended 200 bye by peer"
ARCS = [
    ("Preparative", "R1XX_UNTAGGED", "Preparative", ["start C 180"]),
    ("Preparative", "R1XX", "Early", ["start C 180", "tell Progress"]),
    ("Preparative", "R2XX", "Moratorium", ["stop C"]),
    ("Preparative", "R3XX_6XX", "Morgue", ["stop C", "stop CANCELLED", "tell Ended 486 rejected by peer"]),
    ("Preparative", "CANCELLED", "Morgue", ["stop C", "forget INVITE", ENDED_BY_CANCEL]),
    ("Preparative", "END", "Preparative", []),
    ("Preparative", "TIMER_C", "Preparative", []),
    ("Early", "R1XX_UNTAGGED", "Early", ["start C 180"]),
    ("Early", "R1XX", "Early", ["start C 180", "tell Progress"]),
    ("Early", "R2XX", "Moratorium", ["stop C"]),
    ("Early", "R3XX_6XX", "Morgue", ["stop C", "stop CANCELLED", "tell Ended 486 rejected by peer"]),
    ("Early", "CANCELLED", "Morgue", ["stop C", "forget INVITE", ENDED_BY_CANCEL]),
    ("Early", "END", "Early", ["client CANCEL unheard", "start CANCELLED 32"]),
    ("Early", "TIMER_C", "Early", ["client CANCEL unheard", "start CANCELLED 32"]),
    ("Early", "BYE", "Early", ["server 200", "client CANCEL unheard", "start CANCELLED 32"]),
    ("Moratorium", "LATE_OFFER", "Moratorium", ["tell AnswerWanted"]),
    ("Moratorium", "ACK_SENT", "Established", ["send ACK", "tell Established"]),
    ("Moratorium", "ANSWER", "Established", ["send ACK", "tell Established"]),
    ("Moratorium", "ACK_ENDS", "Mortal", ["send ACK", "client BYE"]),
    ("Moratorium", "R2XX", "Moratorium", []),
    ("Moratorium", "END", "Mortal", ["send ACK", "client BYE"]),
    ("Moratorium", "BYE", "Morgue", ["send ACK", "server 200", BY_PEER]),
    ("Established", "R2XX", "Established", ["send ACK"]),
    ("Established", "BYE", "Morgue", ["server 200", BY_PEER]),
    ("Established", "END", "Mortal", ["client BYE"]),
    ("Established", "NO_ACK", "Mortal", ["stop 2XX", "stop NO_ACK", "client BYE"]),
    ("Mortal", "R2XX", "Mortal", ["send ACK"]),
    ("Mortal", "BYE", "Mortal", ["server 200"]),
    ("Mortal", "BYE_DONE", "Morgue", ["tell Ended 200 bye"]),
]


def given(call: OneCall, event: str) -> tuple[Request | Response | None, Command | None]:
    """What comes with an event."""
    match event:
        case "R1XX_UNTAGGED":
            return call.response_of_peer(100, tag=""), None
        case "R1XX":
            return call.response_of_peer(183), None
        case "R3XX_6XX":
            return call.response_of_peer(486), None
        case "R2XX" | "LATE_OFFER" | "ACK_SENT" | "ACK_ENDS":
            return call.response_of_peer(200, body=OFFER), None
        case "BYE":
            return call.request_of_peer("BYE"), None
        case "BYE_DONE":
            return parsed_request(call.clients[-1].data).respond(200), None
        case "END" | "ANSWER":
            return None, Command(event, 480, None, ANSWER if event == "ANSWER" else b"")
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
    if event != "BYE_DONE":
        message, command = given(call, event)
        if event == "BYE":
            message = None
    else:
        message, command = None, None
    call.advance(event, message, command)
    assert call.usage is before
    assert call.texts == []


class TestPlacing:
    """The INVITE of RFC 3261 8.1.1."""

    def test_the_invite(self) -> None:
        call = OneCall.placed()
        invite = call.sent("INVITE")
        assert invite.request_uri == "sip:bob@192.0.2.2"
        assert [name for name, _ in invite.fields][:7] == [
            "Via",
            "Max-Forwards",
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "Contact",
        ]
        assert invite.header("From") == f"<sip:alice@atlanta.example.com>;tag={invite.from_tag}"
        assert invite.to_tag == ""
        assert invite.header("Contact") == "<sip:192.0.2.1:5060>"
        assert invite.header("Content-Type") == "application/sdp"
        assert invite.body == OFFER
        assert call.usage.local_body == OFFER

    def test_it_goes_to_the_target(self) -> None:
        hop = OneCall.placed(target="sip:bob@192.0.2.9:5070;transport=tcp").clients[0].destination
        assert (hop.transport, hop.host, hop.port) == ("TCP", "192.0.2.9", 5070)

    def test_what_the_profile_says_of_us(self) -> None:
        call = OneCall()
        call.agent.profile.supported, call.agent.profile.user_agent = ("timer", "100rel"), ""
        usage = start("owner", "call", "sip:h", call.given(command=Command("CALL")), call.timing, call.effects)
        invite = call.sent("INVITE")
        assert (invite.header("Supported"), invite.header("User-Agent")) == ("timer, 100rel", None)
        assert OneCall.placed().sent("INVITE").header("User-Agent") == "sipdum"
        assert usage.key == f"u{invite.from_tag} call"

    def test_without_an_offer_there_is_no_content_type(self) -> None:
        assert OneCall.placed(b"").sent("INVITE").header("Content-Type") is None

    @pytest.mark.parametrize("target", ["tel:+15551234", "bob", "sip:", "", "mailto:bob@example.com"])
    def test_a_target_that_is_no_sip_uri_is_refused(self, target: str) -> None:
        with pytest.raises(ValueError, match=r"URI|only sip"):
            OneCall.placed(target=target)

    def test_a_transport_without_socket_is_refused(self) -> None:
        with pytest.raises(KeyError, match="TLS"):
            OneCall.placed(target="sips:bob@192.0.2.2")

    @pytest.mark.parametrize(
        ("target", "to"),
        [
            ("sip:bob@biloxi.example.com:5070;transport=tcp", "sip:bob@biloxi.example.com"),
            ("sip:192.0.2.2", "sip:192.0.2.2"),
            ("sips:bob@[2001:db8::2]:5061", "sips:bob@[2001:db8::2]"),
        ],
    )
    def test_to_has_neither_port_nor_parameters(self, target: str, to: str) -> None:
        assert target_of_to(target) == to

    def test_only_the_header_of_the_invite_is_kept(self) -> None:
        call = OneCall.placed()
        assert call.usage.sent is not None
        assert call.usage.sent.header == call.clients[0].data.removesuffix(OFFER)
        assert call.usage.sent.offered
        assert not any(isinstance(field, Request) for field in snapshot(call.usage))


class TestAnswered:
    """13.2.2.4: the ACK of a 2xx, its repetition, and the late offer."""

    def test_the_ack(self) -> None:
        call = OneCall.placed().response(180).response(200, body=ANSWER)
        invite = call.invite
        assert invite is not None
        ack = call.sent("ACK")
        assert ack.request_uri == "sip:bob@192.0.2.2"
        assert ack.cseq == invite.cseq
        assert ack.branch != invite.branch
        assert (ack.from_tag, ack.to_tag) == (invite.from_tag, "peer")
        assert ack.body == b""
        assert call.told[-1] == Established("owner", ANSWER)

    def test_a_repeated_2xx_gets_the_same_bytes(self) -> None:
        call = OneCall.placed().response(200, body=ANSWER)
        first = call.effects[-2]
        assert isinstance(first, Send)
        for _ in range(3):
            call.response(200, body=ANSWER)
            (again,) = call.effects
            assert isinstance(again, Send)
            assert (again.data, again.destination) == (first.data, first.destination)

    def test_a_repeated_2xx_gets_the_same_bytes_after_our_bye(self) -> None:
        call = OneCall.placed().response(200, body=ANSWER)
        first = call.effects[-2]
        call.command("END").response(200, body=ANSWER)
        (again,) = call.effects
        assert isinstance(first, Send)
        assert isinstance(again, Send)
        assert again.data == first.data

    def test_a_late_offer_is_answered_in_the_ack(self) -> None:
        call = OneCall.placed(b"").response(180).response(200, body=OFFER)
        assert call.told[-1] == AnswerWanted("owner", OFFER)
        call.response(200, body=OFFER)
        assert call.texts == []  # asked once
        call.command("ANSWER", body=ANSWER)
        assert call.sent("ACK").body == ANSWER
        assert call.sent("ACK").header("Content-Type") == "application/sdp"
        assert call.usage.local_body == ANSWER
        ack = call.effects[0]
        call.response(200, body=OFFER)
        assert isinstance(ack, Send)
        assert isinstance(call.effects[0], Send)
        assert call.effects[0].data == ack.data

    def test_a_2xx_without_any_offer_is_acknowledged_at_once(self) -> None:
        assert OneCall.placed(b"").response(200).texts == ["stop C", "send ACK", "tell Established"]

    def test_the_route_set_is_the_record_route_of_the_2xx_in_reverse(self) -> None:
        routes = [("Record-Route", "<sip:p2.example.com;lr>"), ("Record-Route", "<sip:p1.example.com;lr>")]
        call = OneCall.placed().response(180, fields=routes[:1])
        call.response(200, body=ANSWER, fields=routes)
        ack = call.sent("ACK")
        assert ack.headers("Route") == ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")
        (sent,) = [effect for effect in call.effects if isinstance(effect, Send)]
        assert sent.destination.host == "p1.example.com"

    def test_the_contact_of_the_2xx_replaces_the_early_one(self) -> None:
        call = OneCall.placed().response(180, contact="<sip:early@192.0.2.9>")
        call.response(200, body=ANSWER, contact="<sip:late@192.0.2.2>")
        assert call.sent("ACK").request_uri == "sip:late@192.0.2.2"


class TestForks:
    """12.1.2 and 13.2.2.4: several early dialogs, several 2xx."""

    def test_two_early_dialogs(self) -> None:
        call = OneCall.placed().response(180, tag="one").response(183, tag="two").response(180, tag="one")
        assert call.usage.dialog is not None
        assert call.usage.dialog.remote_tag == "one"
        assert [fork.remote_tag for fork in call.usage.forks] == ["two"]
        assert [event.status for event in call.told if isinstance(event, Progress)] == [180, 183, 180]

    def test_the_first_2xx_wins_whichever_fork_sent_it(self) -> None:
        call = OneCall.placed().response(180, tag="one").response(180, tag="two").response(200, tag="two")
        assert call.state == "Established"
        assert call.usage.dialog is not None
        assert call.usage.dialog.remote_tag == "two"
        assert not call.usage.dialog.early
        assert [fork.remote_tag for fork in call.usage.forks] == ["one"]

    @pytest.mark.parametrize("state", ["Moratorium", "Established", "Mortal"])
    def test_another_2xx_is_acknowledged_and_ended(self, state: str) -> None:
        call = in_state(state)
        call.response(200, tag="other", body=ANSWER, contact="<sip:carol@192.0.2.3>")
        assert call.texts == ["send ACK", "client BYE unheard"]
        ack, bye = call.sent("ACK"), call.sent("BYE")
        assert (ack.to_tag, bye.to_tag) == ("other", "other")
        assert ack.request_uri == bye.request_uri == "sip:carol@192.0.2.3"
        assert bye.cseq == ack.cseq + 1
        assert bye.branch != ack.branch
        assert call.state == state
        first = call.effects[0]
        call.response(200, tag="other", body=ANSWER, contact="<sip:carol@192.0.2.3>")
        (again,) = call.effects
        assert isinstance(first, Send)
        assert isinstance(again, Send)
        assert again.data == first.data

    def test_the_bye_of_another_fork_is_its_own_affair(self) -> None:
        call = OneCall.placed().response(180, tag="one").response(180, tag="two").response(200, tag="one")
        call.request("BYE", tag="two")
        assert (call.state, call.texts) == ("Established", ["server 200"])
        call.request("BYE", tag="two")
        assert (call.state, call.texts) == ("Established", ["server 481"])
        call.request("BYE", tag="one")
        assert call.state == "Morgue"

    def test_a_re_invite_of_another_fork_does_not_touch_the_call(self) -> None:
        call = OneCall.placed().response(180, tag="one").response(180, tag="two")
        assert call.request("INVITE", OFFER, tag="two").texts == ["server 491"]
        call.response(200, tag="one")
        assert call.request("INVITE", OFFER, tag="two").texts == ["server 481"]
        assert call.request("INVITE", OFFER, tag="two", seq=3).texts == ["server 500"]
        assert call.usage.received is None

    def test_so_many_are_followed(self) -> None:
        call = OneCall.placed()
        for number in range(2 * FORKS_KEPT):
            call.response(180, tag=f"early{number}")
        assert len(call.usage.forks) == FORKS_KEPT
        assert len(call.told) == 2 * FORKS_KEPT
        call.response(200, tag="early0")
        for number in range(2 * FORKS_KEPT):
            call.response(200, tag=f"late{number}")
        assert len(call.usage.acks) == 1 + FORKS_KEPT
        assert call.response(200, tag="early0").texts == ["send ACK"]

    def test_a_2xx_whose_contact_cannot_be_read_leaves_the_call_alone(self) -> None:
        call = in_state("Established").response(200, tag="other", contact="<<>")
        assert (call.state, call.texts) == ("Established", [])


class TestCancelling:
    """9.1, and what crosses a CANCEL."""

    def test_before_any_response_it_waits_for_one(self) -> None:
        call = OneCall.placed().command("END")
        assert (call.state, call.texts) == ("Preparative", [])
        call.response(100, tag="")
        assert call.texts == ["start C 180", "client CANCEL unheard", "start CANCELLED 32"]
        call.response(487)
        assert call.texts == ["stop C", "stop CANCELLED", "tell Ended 487 cancelled"]

    def test_it_waits_for_a_tagged_response_as_well(self) -> None:
        call = OneCall.placed().command("END").response(180)
        assert call.texts == ["start C 180", "client CANCEL unheard", "start CANCELLED 32", "tell Progress"]

    def test_it_has_the_branch_and_the_place_of_its_invite(self) -> None:
        call = OneCall.placed().response(180).command("END")
        invite, cancel = call.clients
        assert (cancel.method, cancel.branch, cancel.destination) == ("CANCEL", invite.branch, invite.destination)
        asked, request = parsed_request(invite.data), parsed_request(cancel.data)
        assert request.request_uri == asked.request_uri
        assert (request.branch, request.call_id, request.cseq) == (asked.branch, asked.call_id, asked.cseq)
        assert (request.header("To"), request.header("From")) == (asked.header("To"), asked.header("From"))
        assert request.body == b""

    def test_it_is_sent_once(self) -> None:
        call = OneCall.placed().response(180).command("END").command("END")
        assert call.texts == []
        call.response(180)
        assert call.texts == ["start C 180", "tell Progress"]

    def test_a_2xx_that_crossed_it_is_acknowledged_and_ended(self) -> None:
        call = OneCall.placed().response(180).command("END").response(200, body=ANSWER)
        assert call.texts == ["stop C", "stop CANCELLED", "send ACK", "client BYE"]
        call.bye_answered()
        assert call.texts == ["tell Ended 200 bye"]
        assert [type(event).__name__ for event in call.told] == ["Progress", "Ended"]

    def test_a_2xx_before_it_could_be_sent_is_acknowledged_and_ended(self) -> None:
        call = OneCall.placed().command("END").response(200, body=ANSWER)
        assert call.texts == ["stop C", "send ACK", "client BYE"]

    def test_an_offer_that_crossed_it_is_not_put_to_the_application(self) -> None:
        call = OneCall.placed(b"").response(180).command("END").response(200, body=OFFER)
        assert call.texts == ["stop C", "stop CANCELLED", "send ACK", "client BYE"]

    def test_another_refusal_that_crossed_it_is_reported_as_such(self) -> None:
        call = OneCall.placed().response(180).command("END").response(486)
        assert call.texts[-1] == "tell Ended 486 rejected"

    def test_without_final_response_the_invite_is_forgotten_after_64_t1(self) -> None:
        call = OneCall.placed().response(180).command("END")
        assert call.timers["CANCELLED"] == (32, call.usage.sent.seq if call.usage.sent else None)
        key = call.usage.sent.key if call.usage.sent else ""
        call.fire("CANCELLED")
        assert call.texts == ["stop C", "forget INVITE", "tell Ended 487 cancelled"]
        assert repr(call.effects[1]) == f"Forget({key!r})"

    def test_a_callee_that_rings_for_ever_is_cancelled_by_timer_c(self) -> None:
        call = OneCall.placed().response(180)
        assert call.timers["C"][0] == 180
        call.fire("C")
        assert call.texts == ["client CANCEL unheard", "start CANCELLED 32"]
        call.fire("CANCELLED")
        assert call.state == "Morgue"

    def test_timer_c_starts_again_with_each_provisional_response(self) -> None:
        call = OneCall.placed().response(180)
        old = call.timers["C"][1]
        call.response(180)
        assert call.timers["C"][1] != old
        before = call.usage
        call.fire("C", old)
        assert call.usage is before

    def test_an_invite_that_nothing_answers_ends_with_408(self) -> None:
        assert OneCall.placed().unanswered("INVITE").texts == ["stop C", "stop CANCELLED", "tell Ended 408 no answer"]

    def test_an_invite_that_cannot_be_sent_ends_with_503(self) -> None:
        call = OneCall.placed().unanswered("INVITE", 503, "transport")
        assert call.texts[-1] == "tell Ended 503 transport"

    def test_a_cancelled_one_that_nothing_answers_ends_once(self) -> None:
        assert OneCall.placed().command("END").unanswered("INVITE").texts[-1] == "tell Ended 408 no answer"


class TestUnreadable:
    """What a peer may get wrong in a response."""

    @pytest.mark.parametrize("contact", ["<<>", "sip:"])
    def test_a_1xx_makes_no_dialog(self, contact: str) -> None:
        call = OneCall.placed().response(180, contact=contact)
        assert (call.state, call.texts) == ("Preparative", ["start C 180"])

    @pytest.mark.parametrize(
        ("contact", "fields"), [("<<>", []), ("", []), ("*", []), ("<sip:b@h>", [("Record-Route", "<<")])]
    )
    def test_a_2xx_that_tells_nowhere_to_go_ends_the_call(self, contact: str, fields: list[tuple[str, str]]) -> None:
        call = OneCall.placed().response(200, contact=contact, fields=fields)
        assert call.texts == ["stop C", "stop CANCELLED", "tell Ended 502 transport"]

    def test_a_2xx_without_contact_uses_that_of_its_early_dialog(self) -> None:
        call = OneCall.placed().response(180).response(200, contact="")
        assert call.state == "Established"
        assert call.sent("ACK").request_uri == "sip:bob@192.0.2.2"

    def test_a_peer_that_cannot_be_sent_to_gets_no_bye(self) -> None:
        call = OneCall.placed().response(200, contact="<tel:+15551234>").command("END")
        assert call.texts == ["tell Ended 503 transport"]


def test_a_fork_is_known_by_its_tag_alone() -> None:
    call = OneCall.placed().response(180, tag="one")
    call.response(183, tag="one", contact="<sip:other@192.0.2.8>")
    assert call.usage.forks == ()

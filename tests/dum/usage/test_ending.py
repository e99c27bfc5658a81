"""How a call ends: the BYE of RFC 3261 section 15, and the one report of the end."""

import pytest

from dum.effects import Effect, ToClient
from dum.events import Ended
from dum.timers import RFC3261
from dum.usage.ending import bye_within, end_told, own_end_done
from dum.usage.session import Command
from tests.dum.usage.one_call import ANSWER, OneCall, described, parsed_request
from tests.dum.usage.test_invite import ROLES, established


@ROLES
def test_the_bye(role: str) -> None:
    call = established(role)
    dialog = call.usage.require_dialog()
    call.command("END")
    bye = call.sent("BYE")
    assert (bye.request_uri, bye.call_id) == (dialog.remote_target, dialog.call_id)
    assert (bye.from_tag, bye.to_tag) == (dialog.local_tag, dialog.remote_tag)
    assert bye.cseq == call.usage.require_dialog().local_seq
    if role == "caller":
        assert call.invite is not None
        assert bye.cseq == call.invite.cseq + 1
    assert call.usage.local_body == b""


def test_the_number_of_a_bye_goes_up() -> None:
    call = established("callee")
    effects: list[Effect] = []
    dialog = call.usage.require_dialog()
    for number in range(3):
        dialog = bye_within(dialog, call.usage, call.given(), number, effects)
    sent = [parsed_request(effect.data).cseq for effect in effects if isinstance(effect, ToClient)]
    assert sent[1:] == [sent[0] + 1, sent[0] + 2]


@ROLES
def test_a_peer_that_no_bye_can_reach(role: str) -> None:
    call = established(role)
    call.usage.dialog = call.usage.require_dialog().with_target("tel:+15551234")
    call.command("END")
    assert (call.state, call.texts) == ("Morgue", ["tell Ended 503 transport"])


@ROLES
@pytest.mark.parametrize("by_peer", [True, False])
def test_the_report_names_who_and_why(role: str, by_peer: bool) -> None:
    call = established(role)
    if by_peer:
        call.request("BYE")
    else:
        call.command("END").bye_answered()
    assert call.ends == [Ended("owner", 200, by_peer, "bye")]


def test_the_report_stops_what_would_be_repeated() -> None:
    call = OneCall.received().command("ANSWER", 200, ANSWER)
    usage, effects = call.usage.copy(), list[Effect]()
    end_told(usage, 200, True, "bye", effects)
    assert described(effects) == ["stop 2XX", "stop NO_ACK", "tell Ended 200 bye by peer"]
    assert usage.received is None


@pytest.mark.parametrize(("command", "status"), [(None, 408), (Command("TRANSPORT_ERROR", 503), 503)])
def test_an_end_that_nobody_answered(command: Command | None, status: int) -> None:
    call = established("caller").command("END")
    usage, effects = call.usage.copy(), list[Effect]()
    own_end_done(usage, call.given(command=command), RFC3261, effects)
    assert described(effects) == [f"tell Ended {status} bye"]

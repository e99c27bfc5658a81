"""CANCEL: RFC 3261 section 9, the client's side and the server's."""

import pytest

from dum.effects import Effect
from dum.timers import RFC3261
from dum.transaction import invite_client, invite_server
from dum.transaction.cancel import answer, cancellation, may_cancel, takes_effect
from dum.transaction.matching import cancel_target_key, client_key, server_key
from tests.dum.transaction.virtual_time import parsed_request, request, response

INVITE = request("INVITE", b"v=0\r\n")


def test_it_repeats_the_invite_including_its_to() -> None:
    cancel, invite = parsed_request(cancellation(INVITE)), parsed_request(INVITE)
    assert cancel.method == cancel.cseq_method == "CANCEL"
    assert (cancel.cseq, cancel.branch, cancel.call_id) == (invite.cseq, invite.branch, invite.call_id)
    assert (cancel.header("To"), cancel.to_tag) == (invite.header("To"), "")
    assert cancel.header("Route") == invite.header("Route")
    assert cancel.body == b""


def test_a_reason_can_be_given() -> None:
    cancel = cancellation(INVITE, [b'Reason: SIP;cause=200;text="Call completed elsewhere"'])
    assert parsed_request(cancel).header("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'


def test_only_after_a_provisional_response_and_before_a_final_one() -> None:
    effects: list[Effect] = []
    calling = invite_client.start("c", INVITE, "there", False, "u", RFC3261, effects)
    assert not may_cancel(calling.state)
    ringing = invite_client.receive(calling, response(180), RFC3261, effects)
    assert may_cancel(ringing.state)
    assert cancellation(ringing.request) == cancellation(INVITE)
    for status in (200, 486):
        assert not may_cancel(invite_client.receive(ringing, response(status), RFC3261, effects).state)


def test_its_transaction_is_not_the_invites() -> None:
    cancel, invite = parsed_request(cancellation(INVITE)), parsed_request(INVITE)
    assert server_key(cancel) != server_key(invite)
    assert client_key(cancel.branch, "CANCEL") != client_key(invite.branch, "INVITE")


def test_it_finds_the_invite_that_it_cancels() -> None:
    assert cancel_target_key(parsed_request(cancellation(INVITE))) == server_key(parsed_request(INVITE))


@pytest.mark.parametrize(
    ("status", "expected"), [(0, (200, True)), (180, (200, True)), (200, (200, False)), (486, (200, False))]
)
def test_it_is_answered_200_and_works_until_a_final_response(status: int, expected: tuple[int, bool]) -> None:
    effects: list[Effect] = []
    invite = invite_server.start(server_key(parsed_request(INVITE)), "there", False, "u", RFC3261, effects)
    if status:
        invite = invite_server.respond(invite, status, response(status).encode(), RFC3261, effects)
    assert (answer(invite), takes_effect(invite)) == expected


def test_it_is_answered_481_when_there_is_nothing_to_cancel() -> None:
    assert (answer(None), takes_effect(None)) == (481, False)

"""The records of an INVITE usage: copies that differ where they should, and nothing kept that is not needed."""

import pytest

from dum.effects import Hop
from dum.usage.session import Command, Given, ReceivedInvite, SentInvite, usage_key
from tests.dum.usage.one_call import ANSWER, OneCall, snapshot

HOP = Hop("UDP", "h", 5060)


def fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in type(record).__slots__}  # type: ignore[attr-defined]


def test_the_progress_of_a_sent_invite() -> None:
    sent = SentInvite("cz9 INVITE", "z9", 7, b"header", True, HOP)
    assert (sent.provisionals, sent.cancel) == (0, "")
    after = sent.with_progress(2, "sent")
    assert fields(after) == {**fields(sent), "provisionals": 2, "cancel": "sent"}


def test_an_accepted_invite_keeps_bytes_alone() -> None:
    call = OneCall.received()
    assert call.usage.received is not None
    assert call.usage.received.request is not None
    call.command("ANSWER", 200, ANSWER)
    assert call.usage.received is not None
    assert call.usage.received.request is None
    assert call.usage.received.response == call.answered().encode()


def test_the_retransmissions_of_a_received_invite() -> None:
    received = ReceivedInvite("s", 101, True, HOP, None)
    after = received.accepted(b"200", 3)
    assert fields(after) == {**fields(received), "response": b"200", "retransmissions": 3}


def test_a_copy_of_a_usage_has_the_same_fields() -> None:
    usage = OneCall.placed().response(180).usage
    copy = usage.copy()
    assert copy is not usage
    assert snapshot(copy) == snapshot(usage)


def test_a_state_that_must_have_a_dialog() -> None:
    with pytest.raises(AssertionError, match="no dialog in state Preparative"):
        OneCall.placed().usage.require_dialog()


def test_an_event_with_the_command_that_follows_from_it() -> None:
    call = OneCall.received()
    given = Given(call.agent, call.given().fresh, "message", server_key="s", source="source", flow="flow")
    command = Command("ANSWER")
    assert fields(given.with_command(command)) == {**fields(given), "command": command}


def test_the_key_names_the_dialog_set() -> None:
    assert usage_key("call", "tag") == "utag call"
    assert OneCall.placed().usage.key.endswith(" a84b4c76e66710")


def test_records_have_no_dictionary() -> None:
    usage = OneCall.received().usage
    for record in (usage, usage.received, usage.dialog, Command("END")):
        assert not hasattr(record, "__dict__")

"""RFC 6026 figure 7: every arc with its effects, the timers G, H, I and L, and what is kept when."""

import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from dum.effects import Effect
from dum.timers import RFC3261, Timing
from dum.transaction import invite_server
from dum.transaction.invite_server import FIGURE_7, InviteServer
from dum.transaction.matching import server_key
from tests.dum.transaction.any_order import SETTINGS, AnyOrder, going_on
from tests.dum.transaction.virtual_time import (
    KEY,
    OWNER,
    THERE,
    VirtualTime,
    described,
    parsed_request,
    request,
    response,
)

INVITE = parsed_request(request("INVITE", b"v=0\r\n"))
ACK = parsed_request(request("ACK", to_tag="a6c85cf"))
RINGING, OK, BUSY = response(180).encode(), response(200).encode(), response(486).encode()


def proceeding(*, reliable: bool = False, timing: Timing = RFC3261) -> VirtualTime:
    """A transaction whose INVITE has just arrived."""
    virtual = VirtualTime(invite_server, FIGURE_7, timing)
    virtual.start(KEY, THERE, reliable, OWNER)
    return virtual


def in_state(state: str) -> InviteServer:
    """A record on an unreliable transport in `state`; in Proceeding a 180 has been sent."""
    virtual = proceeding()
    virtual.step("respond", 180, RINGING)
    if state == "Accepted":
        virtual.step("respond", 200, OK)
    elif state in ("Completed", "Confirmed"):
        virtual.step("respond", 486, BUSY)
    if state == "Confirmed":
        virtual.step("receive", ACK)
    assert virtual.record.state == state
    record: InviteServer = virtual.record
    return record


RESPONDED = {"TU_1XX": (180, RINGING), "TU_2XX": (200, OK), "TU_3XX_6XX": (486, BUSY)}
RECEIVED = {"INVITE": INVITE, "ACK": ACK}
ARCS = [
    ("Proceeding", "INVITE", "Proceeding", ["send SIP/2.0"]),
    ("Proceeding", "TU_1XX", "Proceeding", ["send SIP/2.0"]),
    ("Proceeding", "TU_2XX", "Accepted", ["start L 32", "send SIP/2.0"]),
    ("Proceeding", "TU_3XX_6XX", "Completed", ["start G 0.5", "start H 32", "send SIP/2.0"]),
    ("Proceeding", "TRANSPORT_ERROR", "Proceeding", ["TU TRANSPORT_ERROR"]),
    ("Completed", "INVITE", "Completed", ["send SIP/2.0"]),
    ("Completed", "TIMER_G", "Completed", ["start G 1", "send SIP/2.0"]),
    ("Completed", "TIMER_H", "Terminated", ["stop G", "TU TIMEOUT"]),
    ("Completed", "TRANSPORT_ERROR", "Completed", ["TU TRANSPORT_ERROR"]),
    ("Completed", "ACK", "Confirmed", ["stop G", "stop H", "start I 5"]),
    ("Confirmed", "TIMER_I", "Terminated", []),
    ("Accepted", "INVITE", "Accepted", []),
    ("Accepted", "ACK", "Accepted", ["TU ACK"]),
    ("Accepted", "TU_2XX", "Accepted", ["send SIP/2.0"]),
    ("Accepted", "TRANSPORT_ERROR", "Accepted", ["TU TRANSPORT_ERROR"]),
    ("Accepted", "TIMER_L", "Terminated", []),
]


@pytest.mark.parametrize(("state", "event", "next_state", "expected"), ARCS)
def test_arc(state: str, event: str, next_state: str, expected: list[str]) -> None:
    record, effects = in_state(state), list[Effect]()
    after = _given(record, event, effects)
    assert after.state == next_state
    assert described(effects) == expected
    assert after.owner == OWNER


def _given(record: InviteServer, event: str, effects: list[Effect]) -> InviteServer:
    if event in RESPONDED:
        return invite_server.respond(record, *RESPONDED[event], RFC3261, effects)
    if event in RECEIVED:
        return invite_server.receive(record, RECEIVED[event], RFC3261, effects)
    if event == "TRANSPORT_ERROR":
        return invite_server.transport_error(record, RFC3261, effects)
    return invite_server.fire(record, event[-1], 0, RFC3261, effects)


def test_every_arc_is_in_the_table_above() -> None:
    assert {arc[:2] for arc in ARCS} == {arc[:2] for arc in FIGURE_7.arcs}


@pytest.mark.parametrize(("state", "event"), [(s, e) for s, events in FIGURE_7.ignores.items() for e in sorted(events)])
def test_ignored(state: str, event: str) -> None:
    record, effects = in_state(state), list[Effect]()
    assert _given(record, event, effects) is record
    assert effects == []


def test_starting_asks_for_nothing_and_keeps_no_request() -> None:
    virtual = proceeding()
    assert (virtual.sent, virtual.told, virtual.timers) == ([], [], {})
    assert virtual.record.response == b""
    assert FIGURE_7.entry == ()


def test_a_retransmitted_invite_gets_the_last_response_or_nothing_before_there_is_one() -> None:
    virtual = proceeding()
    virtual.step("receive", INVITE)
    assert virtual.sent == []
    virtual.step("trying", b"SIP/2.0 100 Trying\r\n\r\n")
    virtual.step("receive", INVITE)
    virtual.step("respond", 180, RINGING)
    virtual.step("receive", INVITE)
    assert [data[8:11] for _, data in virtual.sent] == [b"100", b"100", b"180", b"180"]


@pytest.mark.parametrize(("status", "data"), [(180, RINGING), (200, OK), (486, BUSY)])
def test_trying_is_not_sent_once_there_is_a_response(status: int, data: bytes) -> None:
    virtual = proceeding()
    before = virtual.step("respond", status, data)
    assert virtual.step("trying", b"SIP/2.0 100 Trying\r\n\r\n") is before
    assert virtual.sent == [(0, data)]


def test_ten_retransmissions_of_a_failure_at_intervals_that_double_up_to_t2_until_timer_h() -> None:
    virtual = proceeding()
    virtual.step("respond", 486, BUSY)
    virtual.run()
    assert virtual.sent == [(t, BUSY) for t in (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)]
    assert virtual.told == [(32, "TIMEOUT")]
    assert virtual.log[-1] == (32, "Terminated")


def test_a_failure_is_not_retransmitted_on_a_reliable_transport_but_its_ack_is_awaited() -> None:
    virtual = proceeding(reliable=True)
    virtual.step("respond", 486, BUSY)
    virtual.run()
    assert virtual.sent == [(0, BUSY)]
    assert virtual.told == [(32, "TIMEOUT")]


def test_ack_stops_retransmission_and_timer_i_absorbs_repeated_ones() -> None:
    virtual = proceeding()
    virtual.step("respond", 486, BUSY)
    for time in (1, 2, 3):
        virtual.run(until=time)
        virtual.step("receive", ACK)
    virtual.run()
    assert [time for time, _ in virtual.sent] == [0, 0.5]
    assert virtual.told == []
    assert virtual.log == [(0, "Proceeding"), (0, "Completed"), (1, "Confirmed"), (6, "Terminated")]


def test_timer_i_is_zero_on_a_reliable_transport() -> None:
    virtual = proceeding(reliable=True)
    virtual.step("respond", 486, BUSY)
    virtual.step("receive", ACK)
    assert virtual.record.state == "Terminated"
    assert not virtual.timers


@pytest.mark.parametrize("reliable", [False, True])
def test_after_a_2xx_invites_are_absorbed_and_acks_passed_up_until_timer_l(reliable: bool) -> None:
    virtual = proceeding(reliable=reliable)
    virtual.step("respond", 200, OK)
    virtual.step("receive", INVITE)
    virtual.run(until=1)
    virtual.step("respond", 200, OK)
    virtual.step("receive", ACK)
    virtual.run()
    assert virtual.sent == [(0, OK), (1, OK)]
    assert virtual.told == [(1, "ACK")]
    assert virtual.log[-1] == (32, "Terminated")


def test_the_ack_of_an_rfc_2543_client_must_carry_the_tag_of_the_response() -> None:
    old = parsed_request(request("ACK", to_tag="another", branch="1"))
    effects: list[Effect] = []
    record = invite_server.start(server_key(old), THERE, False, OWNER, RFC3261, effects)
    record = invite_server.respond(record, 486, BUSY, RFC3261, effects)
    assert invite_server.receive(record, old, RFC3261, effects) is record
    right = parsed_request(request("ACK", to_tag="a6c85cf", branch="1"))
    assert invite_server.receive(record, right, RFC3261, effects).state == "Confirmed"


def test_a_timer_g_of_an_older_generation_is_harmless() -> None:
    virtual = proceeding()
    virtual.step("respond", 486, BUSY)
    virtual.run(until=1)
    before = virtual.record
    assert virtual.step("fire", "G", 0) is before
    assert virtual.step("fire", "G", 1) is not before


def test_what_a_state_no_longer_needs_is_dropped() -> None:
    assert in_state("Accepted").response == b""
    confirmed = in_state("Confirmed")
    assert {name for name in InviteServer.__slots__ if getattr(confirmed, name)} == {"key", "owner", "state"}
    completed = in_state("Completed")
    assert sum(sys.getsizeof(part) for part in (completed, completed.key, completed.response)) <= len(BUSY) + 500


class InviteServerInAnyOrder(AnyOrder):
    endless = frozenset({"Proceeding"})

    def begin(self, reliable: bool) -> VirtualTime:
        return proceeding(reliable=reliable)

    @precondition(going_on)
    @rule(message=st.sampled_from([INVITE, ACK]))
    def receive(self, message: object) -> None:
        self.virtual.step("receive", message)

    @precondition(going_on)
    @rule(status=st.sampled_from([100, 180, 183, 200, 202, 302, 404, 486, 503, 603]))
    def respond(self, status: int) -> None:
        self.virtual.step("respond", status, response(status).encode())

    @precondition(going_on)
    @rule()
    def trying(self) -> None:
        self.virtual.step("trying", response(100).encode())

    @invariant()
    def a_success_and_a_failure_never_both(self) -> None:
        assert len({data[8] == ord("2") for _, data in self.virtual.sent if data[8] != ord("1")}) <= 1

    @invariant()
    def only_an_accepted_invite_passes_an_ack_up(self) -> None:
        if "Accepted" not in {state for _, state in self.virtual.log}:
            assert "ACK" not in {event for _, event in self.virtual.told}


TestInviteServerInAnyOrder = InviteServerInAnyOrder.TestCase
TestInviteServerInAnyOrder.settings = SETTINGS

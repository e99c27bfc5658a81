"""RFC 6026 figure 5: every arc with its effects, the timers A, B, D and M, and what is kept when."""

import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from dum.effects import Effect
from dum.timers import RFC3261, Timing
from dum.transaction import invite_client
from dum.transaction.invite_client import FIGURE_5, InviteClient
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

INVITE = request("INVITE", b"v=0\r\n")
RINGING, OK, BUSY = response(180), response(200), response(486)


def calling(*, reliable: bool = False, timing: Timing = RFC3261) -> VirtualTime:
    """A transaction that has just sent its INVITE."""
    virtual = VirtualTime(invite_client, FIGURE_5, timing)
    virtual.start(KEY, INVITE, THERE, reliable, OWNER)
    return virtual


def in_state(state: str) -> InviteClient:
    """A record on an unreliable transport in `state`."""
    virtual = calling()
    for step in {"Proceeding": [RINGING], "Accepted": [OK], "Completed": [BUSY]}.get(state, []):
        virtual.step("receive", step)
    assert virtual.record.state == state
    record: InviteClient = virtual.record
    return record


RECEIVED = {"R1XX": RINGING, "R2XX": OK, "R3XX_6XX": BUSY}
ARCS = [
    ("Calling", "TIMER_A", "Calling", ["start A 1", "send INVITE"]),
    ("Calling", "TIMER_B", "Terminated", ["stop A", "TU TIMEOUT"]),
    ("Calling", "TRANSPORT_ERROR", "Terminated", ["stop A", "stop B", "TU TRANSPORT_ERROR"]),
    ("Calling", "R1XX", "Proceeding", ["stop A", "stop B", "TU RESPONSE"]),
    ("Calling", "R2XX", "Accepted", ["stop A", "stop B", "start M 32", "TU RESPONSE"]),
    ("Calling", "R3XX_6XX", "Completed", ["stop A", "stop B", "start D 32", "send ACK", "TU RESPONSE"]),
    ("Proceeding", "R1XX", "Proceeding", ["TU RESPONSE"]),
    ("Proceeding", "R2XX", "Accepted", ["start M 32", "TU RESPONSE"]),
    ("Proceeding", "R3XX_6XX", "Completed", ["start D 32", "send ACK", "TU RESPONSE"]),
    ("Completed", "R3XX_6XX", "Completed", ["send ACK"]),
    ("Completed", "TRANSPORT_ERROR", "Terminated", ["stop D", "TU TRANSPORT_ERROR"]),
    ("Completed", "TIMER_D", "Terminated", []),
    ("Accepted", "R2XX", "Accepted", ["TU RESPONSE"]),
    ("Accepted", "TIMER_M", "Terminated", []),
]


@pytest.mark.parametrize(("state", "event", "next_state", "expected"), ARCS)
def test_arc(state: str, event: str, next_state: str, expected: list[str]) -> None:
    record, effects = in_state(state), list[Effect]()
    after = _given(record, event, effects)
    assert after.state == next_state
    assert described(effects) == expected
    assert after.owner == OWNER


def _given(record: InviteClient, event: str, effects: list[Effect]) -> InviteClient:
    if event in RECEIVED:
        return invite_client.receive(record, RECEIVED[event], RFC3261, effects)
    if event == "TRANSPORT_ERROR":
        return invite_client.transport_error(record, RFC3261, effects)
    return invite_client.fire(record, event[-1], 0, RFC3261, effects)


def test_every_arc_is_in_the_table_above() -> None:
    assert {arc[:2] for arc in ARCS} == {arc[:2] for arc in FIGURE_5.arcs}


@pytest.mark.parametrize(("state", "event"), [(s, e) for s, events in FIGURE_5.ignores.items() for e in sorted(events)])
def test_ignored(state: str, event: str) -> None:
    record, effects = in_state(state), list[Effect]()
    assert _given(record, event, effects) is record
    assert effects == []


def test_invite_is_retransmitted_at_doubling_intervals_until_timer_b() -> None:
    virtual = calling()
    virtual.run()
    assert virtual.sent == [(t, INVITE) for t in (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert virtual.log == [(0, "Calling"), (32, "Terminated")]
    assert virtual.told == [(32, "TIMEOUT")]


def test_the_interval_doubles_beyond_t2_as_long_as_timer_b_lasts() -> None:
    virtual = calling(timing=Timing(t1=0.5, t2=0.5))
    virtual.run()
    assert len(virtual.sent) == 7


def test_nothing_is_retransmitted_on_a_reliable_transport() -> None:
    virtual = calling(reliable=True)
    assert set(virtual.timers) == {"B"}
    virtual.run()
    assert virtual.sent == [(0, INVITE)]
    assert virtual.told == [(32, "TIMEOUT")]


def test_a_provisional_response_stops_both_timers_for_good() -> None:
    virtual = calling()
    virtual.run(until=2)
    virtual.step("receive", RINGING)
    assert not virtual.timers
    virtual.run(until=1000)
    assert [time for time, _ in virtual.sent] == [0, 0.5, 1.5]
    assert virtual.record.state == "Proceeding"


def test_a_failure_is_acknowledged_each_time_it_arrives_until_timer_d() -> None:
    virtual = calling()
    virtual.step("receive", BUSY)
    virtual.run(until=5)
    virtual.step("receive", BUSY)
    virtual.run()
    assert [data[:3] for _, data in virtual.sent] == [b"INV", b"ACK", b"ACK"]
    assert virtual.sent[1][1] == virtual.sent[2][1]
    assert virtual.told == [(0, "RESPONSE")]
    assert virtual.log[-1] == (32, "Terminated")


def test_timer_d_is_at_least_32_seconds() -> None:
    virtual = calling(timing=Timing(t1=0.1))
    virtual.step("receive", BUSY)
    assert virtual.timers == {"D": (32, 0)}


def test_timer_d_is_zero_on_a_reliable_transport() -> None:
    virtual = calling(reliable=True)
    virtual.step("receive", BUSY)
    assert virtual.record.state == "Terminated"
    assert not virtual.timers
    assert [data[:3] for _, data in virtual.sent] == [b"INV", b"ACK"]
    assert virtual.told == [(0, "RESPONSE")]


@pytest.mark.parametrize("reliable", [False, True])
def test_every_2xx_is_passed_up_until_timer_m(reliable: bool) -> None:
    virtual = calling(reliable=reliable)
    for time in (1, 2, 30):
        virtual.run(until=time)
        virtual.step("receive", OK if time > 1 else RINGING)
    virtual.run()
    assert virtual.told == [(1, "RESPONSE"), (2, "RESPONSE"), (30, "RESPONSE")]
    assert virtual.log == [(0, "Calling"), (1, "Proceeding"), (2, "Accepted"), (34, "Terminated")]
    assert not any(data.startswith(b"ACK") for _, data in virtual.sent)


def test_the_ack_is_of_the_first_failure() -> None:
    virtual = calling()
    virtual.step("receive", BUSY)
    virtual.step("receive", response(603, to_tag="other"))
    assert parsed_request(virtual.sent[-1][1]).to_tag == "a6c85cf"


def test_a_timer_a_of_an_older_generation_is_harmless() -> None:
    virtual = calling()
    virtual.run(until=1)
    before = virtual.record
    assert virtual.step("fire", "A", 0) is before
    assert virtual.step("fire", "A", 1) is not before


def test_what_a_state_no_longer_needs_is_dropped() -> None:
    assert in_state("Proceeding").request == INVITE.removesuffix(b"v=0\r\n")
    completed = in_state("Completed")
    assert completed.request == b""
    accepted = in_state("Accepted")
    kept = {name for name in InviteClient.__slots__ if getattr(accepted, name)}
    assert kept == {"key", "owner", "state"}


def test_a_finished_transaction_costs_its_ack_and_little_more() -> None:
    record = in_state("Completed")
    size = sys.getsizeof(record) + sys.getsizeof(record.ack) + sys.getsizeof(record.key)
    assert size <= len(BUSY.encode()) + 500


class InviteClientInAnyOrder(AnyOrder):
    endless = frozenset({"Proceeding"})

    def begin(self, reliable: bool) -> VirtualTime:
        return calling(reliable=reliable)

    @precondition(going_on)
    @rule(status=st.sampled_from([100, 180, 183, 200, 202, 302, 404, 486, 503, 603]))
    def receive(self, status: int) -> None:
        self.virtual.step("receive", response(status))

    @invariant()
    def a_success_and_a_failure_never_both(self) -> None:
        assert not {"Accepted", "Completed"} <= {state for _, state in self.virtual.log}


TestInviteClientInAnyOrder = InviteClientInAnyOrder.TestCase
TestInviteClientInAnyOrder.settings = SETTINGS

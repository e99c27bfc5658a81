"""RFC 3261 figure 6: every arc with its effects, the timers E, F and K, and what is kept when."""

import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from dum.effects import Effect
from dum.timers import RFC3261, Timing
from dum.transaction import client
from dum.transaction.client import FIGURE_6, Client
from tests.dum.transaction.any_order import SETTINGS, AnyOrder, going_on
from tests.dum.transaction.virtual_time import KEY, OWNER, THERE, VirtualTime, described, request, response

OPTIONS = request("OPTIONS")
TRYING, OK, NOT_FOUND = response(100, "OPTIONS"), response(200, "OPTIONS"), response(404, "OPTIONS")


def trying(*, reliable: bool = False, timing: Timing = RFC3261) -> VirtualTime:
    """A transaction that has just sent its request."""
    virtual = VirtualTime(client, FIGURE_6, timing)
    virtual.start(KEY, OPTIONS, THERE, reliable, OWNER)
    return virtual


def in_state(state: str) -> Client:
    """A record on an unreliable transport in `state`."""
    virtual = trying()
    for step in {"Proceeding": [TRYING], "Completed": [OK]}.get(state, []):
        virtual.step("receive", step)
    assert virtual.record.state == state
    record: Client = virtual.record
    return record


RECEIVED = {"R1XX": TRYING, "R2XX_6XX": NOT_FOUND}
ARCS = [
    ("Trying", "TIMER_E", "Trying", ["start E 1", "send OPTIONS"]),
    ("Trying", "TIMER_F", "Terminated", ["stop E", "TU TIMEOUT"]),
    ("Trying", "TRANSPORT_ERROR", "Terminated", ["stop E", "stop F", "TU TRANSPORT_ERROR"]),
    ("Trying", "R1XX", "Proceeding", ["TU RESPONSE"]),
    ("Trying", "R2XX_6XX", "Completed", ["stop E", "stop F", "start K 5", "TU RESPONSE"]),
    ("Proceeding", "TIMER_E", "Proceeding", ["start E 4", "send OPTIONS"]),
    ("Proceeding", "TIMER_F", "Terminated", ["stop E", "TU TIMEOUT"]),
    ("Proceeding", "TRANSPORT_ERROR", "Terminated", ["stop E", "stop F", "TU TRANSPORT_ERROR"]),
    ("Proceeding", "R1XX", "Proceeding", ["TU RESPONSE"]),
    ("Proceeding", "R2XX_6XX", "Completed", ["stop E", "stop F", "start K 5", "TU RESPONSE"]),
    ("Completed", "TIMER_K", "Terminated", []),
]


@pytest.mark.parametrize(("state", "event", "next_state", "expected"), ARCS)
def test_arc(state: str, event: str, next_state: str, expected: list[str]) -> None:
    record, effects = in_state(state), list[Effect]()
    after = _given(record, event, effects)
    assert after.state == next_state
    assert described(effects) == expected
    assert after.owner == OWNER


def _given(record: Client, event: str, effects: list[Effect]) -> Client:
    if event in RECEIVED:
        return client.receive(record, RECEIVED[event], RFC3261, effects)
    if event == "TRANSPORT_ERROR":
        return client.transport_error(record, RFC3261, effects)
    return client.fire(record, event[-1], 0, RFC3261, effects)


def test_every_arc_is_in_the_table_above() -> None:
    assert {arc[:2] for arc in ARCS} == {arc[:2] for arc in FIGURE_6.arcs}


@pytest.mark.parametrize(("state", "event"), [(s, e) for s, events in FIGURE_6.ignores.items() for e in sorted(events)])
def test_ignored(state: str, event: str) -> None:
    record, effects = in_state(state), list[Effect]()
    assert _given(record, event, effects) is record
    assert effects == []


def test_ten_retransmissions_at_intervals_that_double_up_to_t2_until_timer_f() -> None:
    virtual = trying()
    virtual.run()
    assert [time for time, _ in virtual.sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert {data for _, data in virtual.sent} == {OPTIONS}
    assert virtual.log == [(0, "Trying"), (32, "Terminated")]
    assert virtual.told == [(32, "TIMEOUT")]


def test_after_a_provisional_response_the_interval_is_t2_and_timer_f_still_ends_it() -> None:
    virtual = trying()
    virtual.run(until=1)
    virtual.step("receive", TRYING)
    virtual.run()
    assert [time for time, _ in virtual.sent] == [0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert virtual.told == [(1, "RESPONSE"), (32, "TIMEOUT")]


def test_nothing_is_retransmitted_on_a_reliable_transport() -> None:
    virtual = trying(reliable=True)
    assert set(virtual.timers) == {"F"}
    virtual.run()
    assert virtual.sent == [(0, OPTIONS)]
    assert virtual.told == [(32, "TIMEOUT")]


def test_only_the_first_final_response_is_passed_up_and_timer_k_absorbs_the_rest() -> None:
    virtual = trying()
    for time in (1, 2, 3):
        virtual.run(until=time)
        virtual.step("receive", OK)
    virtual.run()
    assert virtual.told == [(1, "RESPONSE")]
    assert virtual.log == [(0, "Trying"), (1, "Completed"), (6, "Terminated")]


@pytest.mark.parametrize("first", [[], [TRYING]])
def test_timer_k_is_zero_on_a_reliable_transport(first: list[object]) -> None:
    virtual = trying(reliable=True)
    for message in [*first, OK]:
        virtual.step("receive", message)
    assert virtual.record.state == "Terminated"
    assert not virtual.timers


@pytest.mark.parametrize("first", [[], [TRYING]])
def test_a_timer_e_of_an_older_generation_is_harmless(first: list[object]) -> None:
    virtual = trying()
    for message in first:
        virtual.step("receive", message)
    virtual.run(until=1)
    before = virtual.record
    assert virtual.step("fire", "E", 0) is before
    assert virtual.step("fire", "E", 1) is not before


def test_a_finished_transaction_keeps_nothing_but_key_and_owner() -> None:
    record = in_state("Completed")
    assert {name for name in Client.__slots__ if getattr(record, name)} == {"key", "owner", "state"}
    assert sys.getsizeof(record) + sys.getsizeof(record.key) <= 500


class ClientInAnyOrder(AnyOrder):
    def begin(self, reliable: bool) -> VirtualTime:
        return trying(reliable=reliable)

    @precondition(going_on)
    @rule(status=st.sampled_from([100, 183, 200, 202, 302, 401, 404, 503, 603]))
    def receive(self, status: int) -> None:
        self.virtual.step("receive", response(status, "OPTIONS"))

    @invariant()
    def it_never_lasts_longer_than_timers_f_and_k(self) -> None:
        if going_on(self):
            assert self.virtual.now <= 32 + 5


TestClientInAnyOrder = ClientInAnyOrder.TestCase
TestClientInAnyOrder.settings = SETTINGS

"""RFC 3261 figure 8: every arc with its effects, timer J, and what is kept when."""

import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from dum.effects import Effect
from dum.timers import RFC3261
from dum.transaction import server
from dum.transaction.server import FIGURE_8, Server
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

OPTIONS = parsed_request(request("OPTIONS"))
PROGRESS, OK = response(183, "OPTIONS").encode(), response(200, "OPTIONS").encode()


def trying(*, reliable: bool = False) -> VirtualTime:
    """A transaction whose request has just arrived."""
    virtual = VirtualTime(server, FIGURE_8)
    virtual.start(KEY, THERE, reliable, OWNER)
    return virtual


def in_state(state: str) -> Server:
    """A record on an unreliable transport in `state`."""
    virtual = trying()
    for status, data in {"Proceeding": [(183, PROGRESS)], "Completed": [(200, OK)]}.get(state, []):
        virtual.step("respond", status, data)
    assert virtual.record.state == state
    record: Server = virtual.record
    return record


RESPONDED = {"TU_1XX": (183, PROGRESS), "TU_2XX_6XX": (200, OK)}
ARCS = [
    ("Trying", "TU_1XX", "Proceeding", ["send SIP/2.0"]),
    ("Trying", "TU_2XX_6XX", "Completed", ["start J 32", "send SIP/2.0"]),
    ("Proceeding", "TU_1XX", "Proceeding", ["send SIP/2.0"]),
    ("Proceeding", "TU_2XX_6XX", "Completed", ["start J 32", "send SIP/2.0"]),
    ("Proceeding", "REQUEST", "Proceeding", ["send SIP/2.0"]),
    ("Proceeding", "TRANSPORT_ERROR", "Terminated", ["TU TRANSPORT_ERROR"]),
    ("Completed", "REQUEST", "Completed", ["send SIP/2.0"]),
    ("Completed", "TRANSPORT_ERROR", "Terminated", ["stop J", "TU TRANSPORT_ERROR"]),
    ("Completed", "TIMER_J", "Terminated", []),
]


@pytest.mark.parametrize(("state", "event", "next_state", "expected"), ARCS)
def test_arc(state: str, event: str, next_state: str, expected: list[str]) -> None:
    record, effects = in_state(state), list[Effect]()
    after = _given(record, event, effects)
    assert after.state == next_state
    assert described(effects) == expected
    assert after.owner == OWNER


def _given(record: Server, event: str, effects: list[Effect]) -> Server:
    if event in RESPONDED:
        return server.respond(record, *RESPONDED[event], RFC3261, effects)
    if event == "REQUEST":
        return server.receive(record, OPTIONS, RFC3261, effects)
    if event == "TRANSPORT_ERROR":
        return server.transport_error(record, RFC3261, effects)
    return server.fire(record, event[-1], 0, RFC3261, effects)


def test_every_arc_is_in_the_table_above() -> None:
    assert {arc[:2] for arc in ARCS} == {arc[:2] for arc in FIGURE_8.arcs}


@pytest.mark.parametrize(("state", "event"), [(s, e) for s, events in FIGURE_8.ignores.items() for e in sorted(events)])
def test_ignored(state: str, event: str) -> None:
    record, effects = in_state(state), list[Effect]()
    assert _given(record, event, effects) is record
    assert effects == []


def test_starting_asks_for_nothing_and_keeps_no_request() -> None:
    virtual = trying()
    assert (virtual.sent, virtual.told, virtual.timers) == ([], [], {})
    assert virtual.record.response == b""
    assert FIGURE_8.entry == ()


def test_a_retransmission_gets_the_last_response_until_timer_j() -> None:
    virtual = trying()
    virtual.step("receive", OPTIONS)
    virtual.step("respond", 183, PROGRESS)
    virtual.step("receive", OPTIONS)
    virtual.step("respond", 200, OK)
    virtual.run(until=31)
    virtual.step("receive", OPTIONS)
    virtual.run()
    assert virtual.sent == [(0, PROGRESS), (0, PROGRESS), (0, OK), (31, OK)]
    assert virtual.log[-1] == (32, "Terminated")
    assert virtual.told == []


@pytest.mark.parametrize("first", [[], [(183, PROGRESS)]])
def test_timer_j_is_zero_on_a_reliable_transport(first: list[tuple[int, bytes]]) -> None:
    virtual = trying(reliable=True)
    for status, data in [*first, (200, OK)]:
        virtual.step("respond", status, data)
    assert virtual.record.state == "Terminated"
    assert not virtual.timers
    assert virtual.sent[-1] == (0, OK)


def test_a_finished_transaction_costs_its_response_and_little_more() -> None:
    record = in_state("Completed")
    kept = sum(sys.getsizeof(part) for part in (record, record.key, record.response))
    assert kept <= len(OK) + 500


class ServerInAnyOrder(AnyOrder):
    endless = frozenset({"Trying", "Proceeding"})

    def begin(self, reliable: bool) -> VirtualTime:
        return trying(reliable=reliable)

    @precondition(going_on)
    @rule()
    def receive(self) -> None:
        self.virtual.step("receive", OPTIONS)

    @precondition(going_on)
    @rule(status=st.sampled_from([100, 183, 200, 302, 404, 503, 603]))
    def respond(self, status: int) -> None:
        self.virtual.step("respond", status, response(status, "OPTIONS").encode())

    @invariant()
    def one_final_response_and_no_other(self) -> None:
        assert len({data for _, data in self.virtual.sent if data[8] != ord("1")}) <= 1


TestServerInAnyOrder = ServerInAnyOrder.TestCase
TestServerInAnyOrder.settings = SETTINGS

"""A client transaction and a server transaction joined by a wire that loses, doubles and delays what it carries."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum.message import Request, Response, parse
from dum.transaction import client, invite_client, invite_server, server
from dum.transaction.client import FIGURE_6
from dum.transaction.invite_client import FIGURE_5
from dum.transaction.invite_server import FIGURE_7
from dum.transaction.matching import client_key, response_key, server_key
from dum.transaction.server import FIGURE_8
from tests.dum.transaction.any_order import SETTINGS
from tests.dum.transaction.virtual_time import KEY, OWNER, TERMINATED, THERE, VirtualTime, request

type Fate = list[float]  # the delays after which one datagram arrives: none is a loss, two a duplicate

FATES = st.lists(st.lists(st.floats(0.001, 3), max_size=2), max_size=60)
ARRIVES: Fate = [0.01]


class Pair:
    """One exchange: the client's request, the server's answer `answers` as (seconds after the request, status)."""

    def __init__(self, method: str, answers: list[tuple[float, int]], fates: list[Fate]) -> None:
        self.fates: Iterator[Fate] = chain(fates, repeat(ARRIVES))
        self.answers = answers
        self.planned: list[tuple[float, int, Any]] = []
        self.count = 0
        self.now = 0.0
        self.invite = method == "INVITE"
        self.request = request(method)
        self.client = VirtualTime(*((invite_client, FIGURE_5) if self.invite else (client, FIGURE_6)))
        self.server = VirtualTime(*((invite_server, FIGURE_7) if self.invite else (server, FIGURE_8)))
        self.carried = {id(self.client): 0, id(self.server): 0}
        self.client.start(KEY, self.request, THERE, False, OWNER)

    def plan(self, time: float, what: Any) -> None:
        """Have `what` happen at `time`; things at the same time happen in the order in which they were planned."""
        self.count += 1
        self.planned.append((time, self.count, what))

    def run(self) -> None:
        """Let everything happen, in the order of time, until neither timers nor datagrams are left."""
        self.carry()
        while True:
            sides = (self.client, self.server)
            due = [time for side in sides for time, _ in side.timers.values()] + [time for time, _, _ in self.planned]
            if not due:
                return
            self.now = min(due)
            for side in sides:
                side.run(until=self.now)
            self.carry()
            ready = sorted(item for item in self.planned if item[0] <= self.now)
            self.planned = [item for item in self.planned if item[0] > self.now]
            for _, _, what in ready:
                what()
            self.carry()

    def carry(self) -> None:
        """Give every datagram that was sent since the last time its fate."""
        for side, arrive in ((self.client, self.at_server), (self.server, self.at_client)):
            new = side.sent[self.carried[id(side)] :]
            self.carried[id(side)] += len(new)
            for sent_at, data in new:
                for delay in next(self.fates):
                    self.plan(sent_at + delay, lambda data=data, arrive=arrive: arrive(data))

    def at_server(self, data: bytes) -> None:
        message = parse(data)
        assert isinstance(message, Request)
        assert server_key(message) == server_key(parse(self.request))  # type: ignore[arg-type]
        if self.server.record is None:
            if message.method != "ACK":
                self.server.start(KEY, THERE, False, OWNER)
                for delay, status in self.answers:
                    answer = message.respond(status, to_tag="a6c85cf").encode()
                    self.plan(self.now + delay, lambda status=status, data=answer: self.answer(status, data))
        elif self.server.record.state != TERMINATED:
            self.server.step("receive", message)

    def answer(self, status: int, data: bytes) -> None:
        if self.server.record.state != TERMINATED:
            self.server.step("respond", status, data)

    def at_client(self, data: bytes) -> None:
        message = parse(data)
        assert isinstance(message, Response)
        assert response_key(message) == client_key(message.branch, "INVITE" if self.invite else "OPTIONS")
        if self.client.record.state != TERMINATED:
            self.client.step("receive", message)


def events(side: VirtualTime) -> list[str]:
    """What a side told its user."""
    return [event for _, event in side.told]


@pytest.mark.parametrize("status", [200, 404])
def test_without_loss_a_request_is_answered_and_nothing_is_sent_twice(status: int) -> None:
    pair = Pair("OPTIONS", [(0.1, status)], [])
    pair.run()
    assert events(pair.client) == ["RESPONSE"]
    assert (len(pair.client.sent), len(pair.server.sent)) == (1, 1)
    assert pair.client.record.state == pair.server.record.state == TERMINATED


def test_without_loss_a_refused_invite_is_acknowledged_once() -> None:
    pair = Pair("INVITE", [(0.1, 180), (2, 486)], [])
    pair.run()
    assert events(pair.client) == ["RESPONSE", "RESPONSE"]
    assert [data.split()[0] for _, data in pair.client.sent] == [b"INVITE", b"ACK"]
    assert len(pair.server.sent) == 2
    assert events(pair.server) == []


def test_a_lost_ack_is_sent_again_for_the_repeated_refusal() -> None:
    pair = Pair("INVITE", [(0.1, 486)], [ARRIVES, ARRIVES, []])
    pair.run()
    assert [data.split()[0] for _, data in pair.client.sent] == [b"INVITE", b"ACK", b"ACK"]
    assert events(pair.client) == ["RESPONSE"]
    assert events(pair.server) == []


def test_a_server_that_never_hears_gives_the_client_a_time_out() -> None:
    pair = Pair("OPTIONS", [(0.1, 200)], [[] for _ in range(11)])
    pair.run()
    assert events(pair.client) == ["TIMEOUT"]
    assert pair.server.record is None


@settings(SETTINGS, max_examples=150)
@given(FATES, st.lists(st.sampled_from([100, 183]), max_size=2), st.sampled_from([200, 302, 404, 500, 603]))
def test_whatever_the_wire_does_a_request_ends_once_on_both_sides(
    fates: list[Fate], provisional: list[int], final: int
) -> None:
    pair = Pair("OPTIONS", [*((0.2 * n, status) for n, status in enumerate(provisional)), (1.0, final)], fates)
    pair.run()
    assert pair.client.record.state == TERMINATED
    assert pair.server.record is None or pair.server.record.state == TERMINATED
    finals = [event for event in events(pair.client) if event == "TIMEOUT"]
    completed = [time for time, state in pair.client.log if state == "Completed"]
    assert len(finals) + len(completed) == 1
    assert len(pair.client.sent) <= 11


@settings(SETTINGS, max_examples=150)
@given(FATES, st.booleans(), st.sampled_from([302, 404, 486, 603]))
def test_whatever_the_wire_does_a_refused_invite_ends_once_on_both_sides(
    fates: list[Fate], ringing: bool, final: int
) -> None:
    pair = Pair("INVITE", [*([(0.2, 180)] if ringing else []), (1.0, final)], fates)
    pair.run()
    acknowledged = any(data.startswith(b"ACK") for _, data in pair.client.sent)
    if pair.client.record.state == "Proceeding":
        # It rang and every copy of the refusal was lost: figure 5 gives Proceeding no timer, its user has to cancel.
        assert ringing
        assert not acknowledged
    else:
        assert pair.client.record.state == TERMINATED
        assert acknowledged != ("TIMEOUT" in events(pair.client))
    assert pair.server.record is None or pair.server.record.state == TERMINATED
    assert events(pair.server) in ([], ["TIMEOUT"])
    assert sum(data.startswith(b"INVITE") for _, data in pair.client.sent) <= 7


@settings(SETTINGS, max_examples=100)
@given(FATES)
def test_whatever_the_wire_does_an_accepted_invite_ends_on_both_sides(fates: list[Fate]) -> None:
    pair = Pair("INVITE", [(0.1, 180), (1.0, 200), (1.5, 200), (2.5, 200)], fates)
    pair.run()
    assert pair.client.record.state in (TERMINATED, "Proceeding")
    assert pair.server.record is None or pair.server.record.state == TERMINATED
    assert all(data.startswith(b"INVITE") for _, data in pair.client.sent)
    assert "TIMEOUT" not in events(pair.server)

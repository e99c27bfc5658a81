"""A whole stack calls a peer that says something and then falls silent: nothing of the call may stay behind."""

from collections.abc import Iterator

import pytest

from dum.events import Ended, Event
from dum.message import Request, parse
from tests.support.wire import Side, Wire, ticks

PEER = "10.0.0.9"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as wire:
        yield wire


class Call:
    """A call placed to a peer that nobody plays, whose part is written here."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.side: Side = wire.join("10.0.0.1")
        self.told: list[tuple[float, Event]] = []
        self.side.told = lambda owner, event: self.told.append((wire.clock(), event))
        self.side.place(0, f"sip:bob@{PEER}", 1)
        wire.run(until=1)

    def sent(self, method: str) -> list[Request]:
        """The requests of a method that have left, retransmissions and all."""
        found = [parse(data) for lane in self.side.sent.values() for _, data in lane]
        return [request for request in found if isinstance(request, Request) and request.method == method]

    def answer(self, request: Request, status: int, tag: str = "peer", contact: str = f"<sip:bob@{PEER}>") -> None:
        """Have the peer answer a request now, and let that take effect."""
        response = request.respond(status, to_tag=tag, fields=[("Contact", contact)])
        self.wire.deliver(0, self.side, response.encode(), PEER)
        self.wire.run(until=self.wire.now + 1)

    def ended(self) -> tuple[float, Ended]:
        """Let all time pass; the one report of the end and when it came, and nothing is left."""
        self.wire.run()
        assert self.side.leftovers() == {}
        ((when, end),) = [(when, event) for when, event in self.told if isinstance(event, Ended)]
        return when, end


def test_it_never_answers(wire: Wire) -> None:
    when, end = Call(wire).ended()
    assert (round(when), end.status, end.why) == (32, 408, "no answer")


def test_it_rings_and_dies(wire: Wire) -> None:
    call = Call(wire)
    call.answer(call.sent("INVITE")[0], 180)
    when, end = call.ended()
    assert (round(when), end.status, end.why) == (180 + 32, 487, "cancelled")
    assert call.sent("CANCEL")[0].branch == call.sent("INVITE")[0].branch


def test_it_is_only_trying(wire: Wire) -> None:
    call = Call(wire)
    call.answer(call.sent("INVITE")[0], 100, tag="", contact="<sip:h>")
    when, end = call.ended()
    assert (round(when), end.why) == (180 + 32, "cancelled")


def test_it_rings_again_and_again_and_dies(wire: Wire) -> None:
    call = Call(wire)
    for _ in range(3):
        call.answer(call.sent("INVITE")[0], 180)
        wire.run(until=wire.now + ticks(150))
    assert not call.sent("CANCEL")
    when, _ = call.ended()
    assert round(when) == 2 * 150 + 180 + 32


def test_it_answers_after_all_that_was_given_up(wire: Wire) -> None:
    call = Call(wire)
    invite = call.sent("INVITE")[0]
    call.answer(invite, 180)
    wire.run(until=ticks(300))
    assert isinstance(call.told[-1][1], Ended)
    call.answer(invite, 200)
    call.ended()
    assert not call.sent("ACK")


def test_it_answers_and_dies(wire: Wire) -> None:
    call = Call(wire)
    call.answer(call.sent("INVITE")[0], 200)
    (key, _) = next(iter(call.side.stack.usages.snapshot()))
    wire.add(wire.now + 5, call.side.host, 0, "end", lambda: call.side.command(key, "END"))
    _, end = call.ended()
    assert (end.status, end.why) == (408, "bye")


def test_two_forks_answer_and_die(wire: Wire) -> None:
    call = Call(wire)
    invite = call.sent("INVITE")[0]
    call.answer(invite, 200, tag="one")
    call.answer(invite, 200, tag="two")
    (key, _) = next(iter(call.side.stack.usages.snapshot()))
    wire.run(until=ticks(60))  # the BYE to the second fork has timed out, and that ended nothing
    assert not any(isinstance(event, Ended) for _, event in call.told)
    wire.add(wire.now + 5, call.side.host, 0, "end", lambda: call.side.command(key, "END"))
    _, end = call.ended()
    assert (end.status, end.why) == (408, "bye")
    assert {bye.to_tag for bye in call.sent("BYE")} == {"one", "two"}


def test_a_bye_whose_answer_lost_its_tag_still_ends_the_call(wire: Wire) -> None:
    call = Call(wire)
    call.answer(call.sent("INVITE")[0], 200)
    (key, _) = next(iter(call.side.stack.usages.snapshot()))
    wire.add(wire.now + 5, call.side.host, 0, "end", lambda: call.side.command(key, "END"))
    wire.run(until=wire.now + 6)
    answer = call.sent("BYE")[0].respond(200).encode().replace(b";tag=peer", b"")
    wire.deliver(0, call.side, answer, PEER)
    when, end = call.ended()
    assert (end.status, end.why) == (200, "bye")
    assert when < 1


@pytest.mark.parametrize("contact", ["<<>", "*"])
def test_it_answers_from_nowhere(wire: Wire, contact: str) -> None:
    call = Call(wire)
    call.answer(call.sent("INVITE")[0], 200, contact=contact)
    _, end = call.ended()
    assert (end.status, end.why) == (502, "transport")

"""The user agent core: what is answered without a usage, what is dropped, and what happens to a bug (RFC 3261 8.2)."""

import logging
from typing import Any

import pytest

from dum.fsm import UnexpectedEvent
from dum.message import Response, parse
from dum.usage import invite
from tests.support.applications import Application, Party
from tests.support.scene import Scene, patient
from tests.support.wire import Side, Wire, ticks

HERE = "10.0.0.2"
THERE = "192.0.2.1"


class Port:
    """A stack on a wire whose peer is the test, datagram by datagram."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.side: Side = self.wire.join(HERE)
        self.application = Application(self.side, patient)
        self.seen = 0

    def take(self, data: bytes, wait: int = 2) -> list[Response]:
        """Have a datagram arrive, and return what is answered within some ticks."""
        self.wire.deliver(1, self.side, data, THERE)
        self.wire.run(self.wire.now + wait)
        sent = [data for lane in self.side.sent.values() for _, data in lane]
        fresh, self.seen = sent[self.seen :], len(sent)
        messages = [parse(data) for data in fresh]
        return [message for message in messages if isinstance(message, Response)]

    def statuses(self, data: bytes, wait: int = 2) -> list[int]:
        return [response.status for response in self.take(data, wait)]

    @property
    def party(self) -> Party:
        (party,) = [party for party in self.application.parties.values() if party.events]
        return party

    def count(self, name: str) -> int:
        return self.side.stack.tally.total().get(name, 0)


def request(method: str, *, branch: str = "z9hG4bK1", to_tag: str = "", seq: int = 1) -> bytes:
    to = f";tag={to_tag}" if to_tag else ""
    return (
        f"{method} sip:bob@{HERE} SIP/2.0\r\nVia: SIP/2.0/UDP {THERE}:5060;branch={branch}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:alice@{THERE}>;tag=alice\r\nTo: <sip:bob@{HERE}>{to}\r\nCall-ID: core\r\nCSeq: {seq} {method}\r\n"
        f"Contact: <sip:alice@{THERE}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS"])
def test_a_dialog_that_is_not_here(method: str) -> None:
    """12.2.2: 481."""
    assert Port().statuses(request(method, to_tag="nobody")) == [481]


def test_a_bye_outside_a_dialog() -> None:
    """15.1.2: 481."""
    assert Port().statuses(request("BYE")) == [481]


def test_a_merged_request() -> None:
    """8.2.2.2: the same request by another path is answered with 482, and the first one goes on."""
    port = Port()
    assert port.statuses(request("INVITE")) == []
    assert port.statuses(request("INVITE", branch="z9hG4bK2")) == [482]
    assert port.application.attempt(port.party, "REJECT", 486) == "done"
    port.wire.run()
    assert port.side.leftovers() == {}


def test_100_trying_when_the_application_is_slow() -> None:
    """17.2.1: after 200 ms without an answer, and not when it has rung by then."""
    port = Port()
    assert port.statuses(request("INVITE"), wait=ticks(0.2) + 1) == [100]
    quick = Port()
    assert quick.statuses(request("INVITE"), wait=1) == []
    quick.application.attempt(quick.party, "RING", 180)
    quick.wire.run(ticks(1.0))
    assert [data[:11] for lane in quick.side.sent.values() for _, data in lane] == [b"SIP/2.0 180"]


def test_cancel() -> None:
    """9.2: 481 without an INVITE; 200 and then 487 with one; 200 alone once it was answered."""
    assert Port().statuses(request("CANCEL")) == [481]
    waiting = Port()
    waiting.take(request("INVITE"))
    assert sorted(waiting.statuses(request("CANCEL"))) == [200, 487]
    assert [end.status for end in waiting.party.ends] == [487]
    answered = Port()
    answered.take(request("INVITE"))
    answered.application.attempt(answered.party, "ANSWER", 200)
    cancelled = [response for response in answered.take(request("CANCEL")) if response.cseq_method == "CANCEL"]
    assert [response.status for response in cancelled] == [200]
    assert answered.party.ends == []


def test_new_work_while_it_shuts_down() -> None:
    port = Port()
    port.side.stack.accepting = False
    assert port.statuses(request("INVITE")) == [503]
    assert port.statuses(request("OPTIONS", branch="z9hG4bK2", seq=2)) == [503]
    assert port.application.parties == {} or not any(party.events for party in port.application.parties.values())


def test_strays_are_counted() -> None:
    port = Port()
    assert port.statuses(request("ACK", to_tag="nobody")) == []
    assert port.statuses(b"SIP/2.0 200 OK\r\n" + request("BYE").partition(b"\r\n")[2]) == []
    assert (port.count("stray_acks"), port.count("stray_responses")) == (1, 1)


def test_a_bug_costs_one_dialog_and_no_more(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An arc that is missing: logged with figure, state and event; the call ends with 500, and the next one works."""
    scene = Scene().established()

    def no_arc(usage: Any, *_: Any) -> Any:
        raise UnexpectedEvent("RFC 5407 figure 2 (callee)", usage.state, "BYE")

    monkeypatch.setattr(invite, "request", no_arc)
    scene.act(scene.caller, "END")()
    with caplog.at_level(logging.ERROR):
        scene.after(2)
    monkeypatch.undo()
    assert "no arc" in caplog.text
    assert [end.status for party in scene.callee.parties.values() for end in party.ends] == [500]
    scene.wire.run()
    assert scene.caller.side.leftovers() == {}
    assert scene.callee.side.leftovers() == {"bugs": scene.callee.side.stack.tally.total()["bugs"]}
    placed = len(scene.pair.told())
    scene.caller.side.place(1, f"sip:bob@{HERE}", 99)
    scene.after(4)
    assert len(scene.pair.told()) > placed

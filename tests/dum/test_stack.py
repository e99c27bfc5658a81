"""Two stacks on a wire in virtual time: whole calls, in fair weather, in rough, and with eight threads at once."""

from functools import cache

from dum.events import AnswerWanted, Established, Event, IncomingCall
from stm import statistics
from tests.support.applications import Application, Party
from tests.support.pair import Outcome, Pair
from tests.support.wire import FAIR, ROUGH, Weather, Wire, ticks


def run(number: int, weather: Weather, *, threads: int = 0, seed: int = 1) -> Pair:
    with Wire(seed, weather, threads=threads) as wire:
        pair = Pair(wire)
        pair.place(number)
        wire.run()
    pair.check()
    assert len(pair.caller.parties) == number
    return pair


@cache
def rough_outcome() -> Outcome:
    """What becomes of 1,000 calls in rough weather when one thread works."""
    return run(1000, ROUGH).outcome()


def conflicts() -> int:
    """How many attempts the memory has thrown away so far."""
    return sum(statistics()["conflicts"].values())


def test_a_call_in_fair_weather() -> None:
    pair = run(1, FAIR)
    (caller,) = pair.caller.parties.values()
    (callee,) = pair.callee.parties.values()
    assert [type(event).__name__ for event in caller.events] == ["Progress", "AnswerWanted", "Established", "Ended"]
    assert [type(event).__name__ for event in callee.events] == ["IncomingCall", "Established", "Ended"]
    assert caller.ends[0].status == callee.ends[0].status == 200


def test_an_offer_in_a_2xx_is_to_be_answered_once() -> None:
    """The 2xx comes again until its ACK, which waits for the application: it must not be asked each time."""

    def slow(application: Application, party: Party, event: Event) -> None:
        if isinstance(event, AnswerWanted):
            application.later(ticks(3.0), party, "ANSWER", 200, b"v=0\r\n")

    with Wire() as wire:
        pair = Pair(wire, caller=slow, callee=ends_answered)
        pair.place(1)
        wire.run()
    pair.check()
    (caller,) = pair.caller.parties.values()
    assert caller.history().count("AnswerWanted") == 1
    assert caller.established == 1


def ends_answered(application: Application, party: Party, event: Event) -> None:
    """A callee that answers and ends every call."""
    match event:
        case IncomingCall():
            application.later(1, party, "ANSWER", 200, b"v=0\r\n")
        case Established():
            application.later(100, party, "END", 480)


def test_1000_calls_in_rough_weather() -> None:
    """RFC 3261's retransmissions bring every call through 10 % loss, duplication and reordering."""
    failed = [both for both in rough_outcome().values() if not went_well(*both)]
    assert not failed
    assert len(rough_outcome()) == 1000


def went_well(caller: tuple[str, ...], callee: tuple[str, ...]) -> bool:
    """Both sides heard of the call, that it stood, and that it ended with a BYE of one of them."""
    ends = sorted(what for what in (*caller, *callee) if what.startswith("Ended"))
    return (
        caller.count("Established") == 1
        and "IncomingCall" in callee
        and ends == ["Ended 200 bye by peer", "Ended 200 bye by us"]
    )


def test_eight_threads_without_affinity_give_every_call_the_same_fate() -> None:
    """What is due is dealt out at random: copies of one message meet in memory, and no call notices."""
    before = conflicts()
    outcome = run(1000, ROUGH, threads=8).outcome()
    assert conflicts() > before
    assert outcome == rough_outcome()

"""Two stacks on a wire in virtual time: whole calls, in fair weather, in rough, and with eight threads at once."""

from functools import cache

from dum.events import AnswerWanted, Established, Event, IncomingCall
from stm import statistics
from tests.conftest import gil_enabled
from tests.support.applications import Application, Party, answers, calls, chance
from tests.support.pair import CALLEE, CALLER, Outcome, Pair
from tests.support.wire import FAIR, ROUGH, Weather, Wire, ticks


def run(number: int, weather: Weather, *, threads: int = 0, seed: int = 1) -> Pair:
    with Wire(seed, weather, threads=threads) as wire:
        pair = Pair(wire)
        pair.place(number)
        wire.run()
        pair.hang_up()
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
    assert conflicts() > before or gil_enabled()
    assert outcome == rough_outcome()


STORM = Weather(loss=0.75, duplication=0.1, lateness=0.3)

# How RFC 3261 lets a call end for which nothing, or too little, came through: 408 for an INVITE or BYE that nobody
# answered (8.1.3.1), a BYE after 64*T1 without ACK (13.3.1.4), 481 for a BYE that came too late, 487 for a call that
# was heard to ring and nothing more, which is cancelled (9.1).
UNHEARD = {"Ended 408 no answer by us", "Ended 487 cancelled by us"}
ENDS_IN_A_STORM = UNHEARD | {
    *("Ended 200 bye by us", "Ended 200 bye by peer", "Ended 408 bye by us", "Ended 481 bye by us"),
}


def test_calls_that_a_storm_defeats_end_with_the_rfcs_reason() -> None:
    """Three of four messages are lost: not all calls come through, and none is left hanging on either side."""
    pair = run(300, STORM, seed=3)
    ends = {what for party in pair.told() for what in party.history() if what.startswith("Ended")}
    assert ends <= ENDS_IN_A_STORM
    assert "Ended 408 no answer by us" in ends
    assert "Ended 200 bye by us" in ends
    for caller, callee in pair.outcome().values():
        assert caller.count("Established") == 1 or UNHEARD & {*caller}
        assert callee == () or any(what.startswith("Ended") for what in callee)


def test_a_storm_is_the_same_for_eight_threads() -> None:
    assert run(100, STORM, threads=8, seed=4).outcome() == run(100, STORM, seed=4).outcome()


def hasty(application: Application, party: Party, event: Event) -> None:
    """A caller that ends its call at any moment, often before it is answered."""
    if len(party.events) == 1:
        application.later(chance(party.call_id, "haste", 60), party, "END", 480)
    calls(application, party, event)


def test_everything_of_an_instant_at_once_on_eight_threads() -> None:
    """No rounds: timers, messages, copies and commands of one call race; what must hold holds all the same."""
    before = conflicts()
    with Wire(5, ROUGH, threads=8, unruly=True) as wire:
        pair = Pair(wire, caller=hasty)
        pair.place(600, burst=100)
        wire.run()
    pair.check()
    assert conflicts() > before or gil_enabled()
    ends = {what for party in pair.told() for what in party.history() if what.startswith("Ended")}
    assert {"Ended 487 cancelled by us", "Ended 487 cancelled by peer", "Ended 200 bye by us"} <= ends


def test_nobody_listens_at_the_callee() -> None:
    """A transport error stands in for 503 (RFC 3261 8.1.3.1)."""
    with Wire() as wire:
        pair = Pair(wire)
        pair.caller.side.transport_down.add(CALLEE)
        pair.place(3)
        wire.run()
    for side in pair.sides:
        assert side.leftovers() == {}
    assert {party.history() for party in pair.caller.parties.values()} == {("Ended 503 transport by us",)}


def test_the_caller_goes_away_before_the_answer() -> None:
    """The 2xx can't be sent and is sent again all the same, until it is given up and nothing is left."""

    def gone(application: Application, party: Party, event: Event) -> None:
        application.side.transport_down.add(CALLER)
        answers(application, party, event)

    with Wire() as wire:
        pair = Pair(wire, callee=gone)
        pair.place(1)
        wire.run()
    for side in pair.sides:
        assert side.leftovers() == {}
    for party in pair.told():
        assert len(party.ends) == 1

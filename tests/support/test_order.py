"""The checker of order finds what is out of order."""

import pytest

from tests.support.order import check_order
from tests.support.pair import Pair
from tests.support.scene import Scene
from tests.support.wire import ROUGH, Wire


def of_a_call(caller: bool) -> list[tuple[int, bytes]]:
    scene = Scene().established()
    scene.act(scene.caller, "END")()
    scene.end()
    side = (scene.caller if caller else scene.callee).side
    return [sent for lane in side.sent.values() for sent in lane]


def test_a_call_is_in_order() -> None:
    assert check_order(of_a_call(caller=True)) == 3
    assert check_order(of_a_call(caller=False)) == 3


@pytest.mark.parametrize("caller", [True, False])
def test_a_call_turned_round_is_not(caller: bool) -> None:
    """A BYE before the INVITE, an ACK before its INVITE, a 180 after the 200."""
    with pytest.raises(AssertionError):
        check_order(reversed(of_a_call(caller)))


def test_two_final_responses_are_one_too_many() -> None:
    sent = of_a_call(caller=False)
    other = [(when, data.replace(b" 200 OK", b" 486 Busy Here")) for when, data in sent if b" 200 OK" in data]
    with pytest.raises(AssertionError):
        check_order([*sent, *other])


def test_the_weather_follows_from_the_seed() -> None:
    def outcome(seed: int) -> list[tuple[str, ...]]:
        with Wire(seed, ROUGH) as wire:
            pair = Pair(wire)
            pair.place(30)
            wire.run()
        return [party.history() for party in pair.told()]

    assert outcome(1) == outcome(1)
    assert outcome(1) != outcome(2)

"""What an application asks and what the peer sends, in one instant: each pair meets in memory, in both orders.

Whoever commits first, both sides report one end, every message leaves in order, and nothing stays behind.
"""

from collections.abc import Callable
from typing import Any

import pytest

from stm import statistics
from tests.support.collision import Collision
from tests.support.pair import CALLEE
from tests.support.scene import Scene
from tests.support.wire import Side, ticks

type Two = tuple[Side, Callable[[], None], Callable[[], None]]


def end_and_bye(scene: Scene) -> Two:
    scene.established()
    scene.act(scene.caller, "END")()
    side = scene.callee.side
    return side, scene.act(scene.callee, "END"), scene.wire.take(side)


def end_and_bye_at_the_caller(scene: Scene) -> Two:
    scene.established()
    scene.act(scene.callee, "END")()
    side = scene.caller.side
    return side, scene.act(scene.caller, "END"), scene.wire.take(side)


def answer_and_cancel(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.caller, "END")()
    side = scene.callee.side
    return side, scene.act(scene.callee, "ANSWER", 200), scene.wire.take(side)


def rejection_and_cancel(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.caller, "END")()
    side = scene.callee.side
    return side, scene.act(scene.callee, "REJECT", 486), scene.wire.take(side)


def ringing_and_answer(scene: Scene) -> Two:
    scene.arrived()
    return scene.callee.side, scene.act(scene.callee, "RING", 180), scene.act(scene.callee, "ANSWER", 200)


def answer_and_rejection(scene: Scene) -> Two:
    scene.ringing()
    return scene.callee.side, scene.act(scene.callee, "ANSWER", 200), scene.act(scene.callee, "REJECT", 486)


def two_ends(scene: Scene) -> Two:
    scene.established()
    return scene.caller.side, scene.act(scene.caller, "END"), scene.act(scene.caller, "END")


def end_and_2xx(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.callee, "ANSWER", 200)()
    side = scene.caller.side
    return side, scene.act(scene.caller, "END"), scene.wire.take(side)


def end_and_180(scene: Scene) -> Two:
    scene.arrived()
    scene.act(scene.callee, "RING", 180)()
    side = scene.caller.side
    return side, scene.act(scene.caller, "END"), scene.wire.take(side)


def end_and_ack(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.callee, "ANSWER", 200)()
    scene.after(2)  # the 2xx is there, and the application has answered its offer
    side = scene.callee.side
    return side, scene.act(scene.callee, "END"), scene.wire.take(side)


def ack_and_bye(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.callee, "ANSWER", 200)()
    scene.after(2)
    side = scene.callee.side
    ack = scene.wire.take(side)
    scene.act(scene.caller, "END")()
    return side, ack, scene.wire.take(side)


def answer_and_100_trying(scene: Scene) -> Two:
    scene.arrived()
    scene.wire.now += ticks(0.2)
    side = scene.callee.side
    (trying,) = [happening for happening in side.due() if b"TRYING" in happening.label]
    return side, scene.act(scene.callee, "ANSWER", 200), trying.run


def invite_and_its_copy(scene: Scene) -> Two:
    scene.place()
    side = scene.callee.side
    invite = scene.wire.take(side)
    return side, invite, invite


def bye_and_its_copy(scene: Scene) -> Two:
    scene.established()
    scene.act(scene.caller, "END")()
    side = scene.callee.side
    bye = scene.wire.take(side)
    return side, bye, bye


def the_2xx_and_its_copy(scene: Scene) -> Two:
    scene.ringing()
    scene.act(scene.callee, "ANSWER", 200)()
    side = scene.caller.side
    accepted = scene.wire.take(side)
    return side, accepted, accepted


RACES = (
    *(end_and_bye, end_and_bye_at_the_caller, answer_and_cancel, rejection_and_cancel, ringing_and_answer),
    *(answer_and_rejection, two_ends, end_and_2xx, end_and_180, end_and_ack, ack_and_bye, answer_and_100_trying),
    *(invite_and_its_copy, bye_and_its_copy, the_2xx_and_its_copy),
)


def thrown_away() -> int:
    conflicts: dict[Any, int] = statistics()["conflicts"]
    return sum(conflicts.values())


@pytest.mark.parametrize("turned", [False, True], ids=["as named", "the other first"])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race(race: Callable[[Scene], Two], turned: bool) -> None:
    scene = Scene()
    side, one, other = race(scene)
    before = thrown_away()
    Collision(side.stack).run(*((other, one) if turned else (one, other)))
    assert thrown_away() > before, "the two did not meet"
    scene.end()


def test_the_callee_is_where_the_scene_says() -> None:
    scene = Scene().established()
    assert scene.callee.side.host == CALLEE
    assert [party.established for party in scene.pair.told()] == [1, 1]
    scene.end()

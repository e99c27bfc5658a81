"""A figure: what it refuses when it is made, and what a step does and leaves alone."""

from typing import Any

import pytest

from dum.effects import Effect, StopTimer
from dum.fsm import Action, Figure, UnexpectedEvent
from dum.timers import RFC3261, Timing


class Door:
    """A record with something to change."""

    __slots__ = ("key", "knocks", "state")

    def __init__(self, key: str, state: str, knocks: int = 0) -> None:
        self.key = key
        self.state = state
        self.knocks = knocks

    def copy(self) -> "Door":
        return Door(self.key, self.state, self.knocks)


def count(door: Door, given: Any, timing: Timing, effects: list[Effect]) -> None:
    door.knocks += given


def say_state(door: Door, given: Any, timing: Timing, effects: list[Effect]) -> None:
    effects.append(StopTimer(door.key, door.state))


def fail(door: Door, given: Any, timing: Timing, effects: list[Effect]) -> None:
    raise RuntimeError("an action failed")


ARCS: list[tuple[str, str, str, tuple[Action, ...]]] = [
    ("Shut", "KNOCK", "Shut", (count,)),
    ("Shut", "OPEN", "Open", (count, say_state)),
    ("Shut", "TIMER_A", "Gone", ()),
    ("Open", "TIMER_C", "Gone", ()),
    ("Open", "BREAK", "Gone", (fail,)),
]
IGNORES = {"Shut": ("BREAK", "TIMER_C"), "Open": ("KNOCK", "OPEN", "TIMER_A")}


def made(arcs: list[Any] = ARCS, ignores: dict[str, tuple[str, ...]] = IGNORES, **options: Any) -> Figure:
    """A figure of a door, or a broken one."""
    options = {"initial": "Shut", "final": "Gone", "timers": {"Shut": "AB", "Open": "BC"}} | options
    return Figure("Door", arcs, ignores=ignores, **options)


FIGURE = made()


def step(door: Door, event: str, given: Any = None) -> tuple[Door, list[Effect]]:
    """The record and the effects after one step."""
    effects: list[Effect] = []
    return FIGURE.advance(door, event, given, RFC3261, effects), effects


def test_states_and_events_are_read_from_the_table() -> None:
    assert FIGURE.states == ("Shut", "Open", "Gone")
    assert set(FIGURE.events) == {"KNOCK", "OPEN", "BREAK", "TIMER_A", "TIMER_C"}


def test_a_step_leaves_the_record_that_went_in_as_it_was() -> None:
    door = Door("k", "Shut", 1)
    after, _ = step(door, "OPEN", 2)
    assert (door.state, door.knocks) == ("Shut", 1)
    assert (after.state, after.knocks) == ("Open", 3)
    assert step(door, "OPEN", 2)[0].knocks == 3


def test_timers_that_do_not_live_on_are_stopped_before_the_actions_which_see_the_next_state() -> None:
    _, effects = step(Door("k", "Shut"), "OPEN", 0)
    assert [(effect.key, effect.letter) for effect in effects if isinstance(effect, StopTimer)] == [
        ("k", "A"),
        ("k", "Open"),
    ]


def test_an_arc_back_to_its_state_stops_no_timer() -> None:
    assert step(Door("k", "Shut"), "KNOCK", 1)[1] == []


def test_a_timer_that_fired_is_not_stopped_but_the_others_are() -> None:
    assert FIGURE.stopped("Shut", "TIMER_A", "Gone") == "B"
    assert FIGURE.stopped("Open", "TIMER_C", "Gone") == "B"
    assert FIGURE.stopped("Open", "BREAK", "Gone") == "BC"
    after, effects = step(Door("k", "Shut"), "TIMER_A")
    assert after.state == "Gone"
    assert [effect.letter for effect in effects if isinstance(effect, StopTimer)] == ["B"]


def test_what_is_ignored_gives_back_the_same_record() -> None:
    door = Door("k", "Open")
    assert step(door, "KNOCK") == (door, [])


@pytest.mark.parametrize(("state", "event"), [("Shut", "RING"), ("Gone", "KNOCK"), ("Ajar", "KNOCK")])
def test_an_event_that_nobody_named_is_a_bug_of_ours(state: str, event: str) -> None:
    with pytest.raises(
        UnexpectedEvent, match=f"Door: no arc and no ignore for event {event} in state {state}"
    ) as raised:
        step(Door("k", state), event)
    assert (raised.value.figure, raised.value.state, raised.value.event) == ("Door", state, event)


def test_states_and_events_are_compared_by_value() -> None:
    assert step(Door("k", "".join(["Sh", "ut"])), "".join(["KNO", "CK"]), 1)[0].knocks == 1


def test_the_actions_of_the_entry_run_on_the_record_itself() -> None:
    door, effects = Door("k", "Shut"), list[Effect]()
    made(entry=(count, say_state)).enter(door, 5, RFC3261, effects)
    assert door.knocks == 5
    assert len(effects) == 1
    FIGURE.enter(door, 5, RFC3261, effects)
    assert door.knocks == 5


def test_an_action_that_raises_is_shown_in_the_source_of_its_figure() -> None:
    with pytest.raises(RuntimeError, match="an action failed") as raised:
        step(Door("k", "Open"), "BREAK")
    frame = raised.traceback[-2]
    assert str(frame.path) == "<Door>"
    assert "fail(advanced" in FIGURE.source.splitlines()[frame.lineno]


def test_the_table_has_one_arc_for_a_pair() -> None:
    with pytest.raises(ValueError, match="Door: two arcs for Shut KNOCK"):
        made([*ARCS, ("Shut", "KNOCK", "Gone", ())])


def test_the_table_does_not_ignore_what_it_has_an_arc_for() -> None:
    with pytest.raises(ValueError, match="Door: both an arc and an ignore for Shut KNOCK"):
        made(ignores=IGNORES | {"Shut": ("BREAK", "TIMER_C", "KNOCK")})


def test_the_table_names_every_pair() -> None:
    with pytest.raises(ValueError, match="Door: neither arc nor ignore for Shut BREAK, Open OPEN"):
        made(ignores={"Shut": ("TIMER_C",), "Open": ("KNOCK", "TIMER_A")})


@pytest.mark.parametrize("options", [{"initial": "Ajar"}, {"final": "Ajar"}, {"timers": {"Ajar": "A"}}])
def test_the_table_knows_its_states(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Ajar|neither arc nor ignore for Gone"):
        made(**options)


def test_actions_have_names_of_their_own() -> None:
    def other(door: Door, given: Any, timing: Timing, effects: list[Effect]) -> None: ...

    other.__name__ = "count"
    with pytest.raises(ValueError, match="two different actions are named count"):
        made([*ARCS[:-1], ("Open", "BREAK", "Gone", (other,))])


@pytest.mark.parametrize("name", ["state", "effects", "<lambda>"])
def test_actions_have_names_that_can_be_called(name: str) -> None:
    def other(door: Door, given: Any, timing: Timing, effects: list[Effect]) -> None: ...

    other.__name__ = name
    with pytest.raises(ValueError, match=f"an action cannot be named {name}"):
        made([*ARCS[:-1], ("Open", "BREAK", "Gone", (other,))])


def test_nothing_that_threads_would_share_is_looked_up_in_a_step() -> None:
    """The constants and globals of a step are strings, functions and classes; no table is among them."""
    code: Any = getattr(FIGURE.advance, "__code__")  # noqa: B009 - a protocol has none
    namespace: Any = getattr(FIGURE.advance, "__globals__")  # noqa: B009
    assert all(callable(namespace[name]) for name in code.co_names if name in namespace)
    assert not code.co_freevars

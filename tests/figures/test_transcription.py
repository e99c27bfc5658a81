"""Every figure against a second transcription made by hand from the RFC, and against its own completeness."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dum.draw import FIGURES, action_label, event_label
from dum.effects import Effect
from dum.fsm import Figure, UnexpectedEvent
from dum.timers import RFC3261

HERE = Path(__file__).parent


@dataclass
class Transcription:
    """What one text file says: arcs and their labels, the entry, and the timers of each state."""

    name: str = ""
    initial: str = ""
    entry: set[str] = field(default_factory=set)
    arcs: dict[tuple[str, str], tuple[str, set[str]]] = field(default_factory=dict)
    timers: dict[str, str] = field(default_factory=dict)


def transcription(file: Path) -> Transcription:
    """Read a file: rows of columns between bars, anything else is prose.

    "start" is the arrow from nowhere; "also" adds labels to every arc between two different states, "on" to one arc.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    read = Transcription(name=lines[0])
    for line in lines:
        match [column.strip() for column in line.split("|")]:
            case ["start", _, state, printed]:
                read.initial = state
                read.entry |= labels(printed)
            case ["also", "start", _, printed]:
                read.entry |= labels(printed)
            case ["also", state, next_state, printed]:
                touched = [arc for arc in read.arcs if arc[0] == state and read.arcs[arc][0] == next_state]
                assert touched, f"no arc from {state} to {next_state}"
                for arc in touched:
                    read.arcs[arc][1].update(labels(printed))
            case ["on", state, event, printed]:
                read.arcs[state, event][1].update(labels(printed))
            case ["timers", state, letters]:
                read.timers[state] = letters.replace(" ", "")
            case [state, event, next_state, printed]:
                assert (state, event) not in read.arcs, f"two rows for {state} {event}"
                read.arcs[state, event] = (next_state, labels(printed))
    return read


def labels(printed: str) -> set[str]:
    """The labels of a column; "-" is none."""
    return set() if printed == "-" else {label.strip() for label in printed.split(",")}


def test_every_figure_has_a_transcription() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_table_and_transcription_agree(name: str) -> None:
    figure, read = FIGURES[name], transcription(HERE / f"{name}.txt")
    assert figure.name == read.name
    assert figure.initial == read.initial
    assert {action_label(action) for action in figure.entry} == read.entry
    assert dict(figure.timers) == read.timers
    table = {
        (state, event_label(event)): (next_state, {action_label(action) for action in actions})
        for state, event, next_state, actions in figure.arcs
    }
    assert table == read.arcs


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_arcs_and_ignores_are_all_states_times_all_events(figure: Figure) -> None:
    arcs = [(state, event) for state, event, _, _ in figure.arcs]
    ignores = [(state, event) for state, events in figure.ignores.items() for event in events]
    everything = [(state, event) for state in figure.states if state != figure.final for event in figure.events]
    assert sorted(arcs + ignores) == sorted(everything)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_state_can_be_reached_and_left(figure: Figure) -> None:
    reached = {figure.initial}
    for _ in figure.states:
        reached |= {next_state for state, _, next_state, _ in figure.arcs if state in reached}
    assert reached == set(figure.states)
    ending = {figure.final}
    for _ in figure.states:
        ending |= {state for state, _, next_state, _ in figure.arcs if next_state in ending}
    assert ending == set(figure.states)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_timer_is_started_where_it_begins_to_live(figure: Figure) -> None:
    for state, _, next_state, actions in figure.arcs:
        begun = set(figure.timers.get(next_state, "")) - set(figure.timers.get(state, ""))
        named = {action.__name__ for action in actions}
        assert {f"start_{letter.lower()}" for letter in begun} <= named, (state, next_state)
    begun = set(figure.timers.get(figure.initial, ""))
    assert {f"start_{letter.lower()}" for letter in begun} <= {action.__name__ for action in figure.entry}


class Nothing:
    """A record that no arc may touch."""

    __slots__ = ("key", "state")

    def __init__(self, state: str) -> None:
        self.key = "k"
        self.state = state

    def copy(self) -> "Nothing":
        raise AssertionError("copied though nothing changes")


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_what_is_ignored_changes_nothing(figure: Figure) -> None:
    for state, events in figure.ignores.items():
        for event in events:
            record = Nothing(state)
            effects: list[Effect] = []
            assert figure.advance(record, event, None, RFC3261, effects) is record
            assert not effects


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_nothing_happens_after_the_end(figure: Figure) -> None:
    for event in figure.events:
        with pytest.raises(UnexpectedEvent, match=figure.final):
            figure.advance(Nothing(figure.final), event, None, RFC3261, [])

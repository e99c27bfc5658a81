"""State diagrams as tables: every machine of the stack is a `Figure`, one row for each arc of the RFC's drawing.

A figure is data. `advance` is the one interpreter: it looks up the arc, copies the record, runs the arc's actions on
the copy and stops the timers that do not live in the next state. Actions are functions named after the label under
the line; they change only the copy that they are given and append effects, so a step is pure seen from outside: the
record that went in is untouched, and the same step can be run again after a lost race.

`arcs` and `ignores` together must name every pair of state and event. What is in neither is a bug of ours, never of
the peer, and raises `UnexpectedEvent`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self

from dum.effects import Effect, StopTimer
from dum.timers import Timing

type Action = Callable[[Any, Any, Timing, list[Effect]], None]
type Arc = tuple[str, str, str, tuple[Action, ...]]


class Machine(Protocol):
    """A record that a figure can advance: its key, its state, and a way to copy it."""

    key: str
    state: str

    def copy(self) -> Self:
        """Return a new record with the same fields."""
        ...


class UnexpectedEvent(Exception):
    """A figure has neither an arc nor a reason to ignore an event: a bug in the table, not a mistake of the peer."""

    def __init__(self, figure: str, state: str, event: str) -> None:
        super().__init__(f"{figure}: no arc and no ignore for event {event} in state {state}")
        self.figure = figure
        self.state = state
        self.event = event


class Figure:
    """A state diagram: arcs, the timers that live in each state, and the pairs that are ignored on purpose.

    `initial` is where a record begins and `final` the state in which it is forgotten. Raises ValueError at import
    when the table contradicts itself: two arcs for a pair, an arc that is also ignored, a pair that is named nowhere.
    Immutable after it is made and safe to share between threads.
    """

    __slots__ = ("_table", "arcs", "events", "final", "ignores", "initial", "name", "states", "timers")

    def __init__(
        self,
        name: str,
        arcs: Iterable[Arc],
        *,
        initial: str,
        final: str,
        timers: Mapping[str, str],
        ignores: Mapping[str, Iterable[str]],
    ) -> None:
        self.name = name
        self.arcs = tuple(arcs)
        self.initial = initial
        self.final = final
        self.timers = dict(timers)
        self.ignores = {state: frozenset(events) for state, events in ignores.items()}
        self.states = tuple(dict.fromkeys([*(arc[0] for arc in self.arcs), *(arc[2] for arc in self.arcs)]))
        self.events = tuple(
            dict.fromkeys([*(arc[1] for arc in self.arcs), *(e for events in ignores.values() for e in events)])
        )
        self._table = self._compile()

    def _compile(self) -> dict[str, tuple[str, tuple[Action, ...], str] | None]:
        """Index the arcs by `state + event`, with the timers each one stops; None marks a pair that is ignored."""
        table: dict[str, tuple[str, tuple[Action, ...], str] | None] = {}
        for state, event, next_state, actions in self.arcs:
            name = f"{state} {event}"
            if name in table:
                raise ValueError(f"{self.name}: two arcs for {name}")
            kept = self.timers.get(next_state, "")
            table[name] = (next_state, actions, "".join(t for t in self.timers.get(state, "") if t not in kept))
        for state, events in self.ignores.items():
            for event in events:
                if table.setdefault(f"{state} {event}", None) is not None:
                    raise ValueError(f"{self.name}: {state} {event} has an arc and is ignored")
        missing = [f"{s} {e}" for s in self.states if s != self.final for e in self.events if f"{s} {e}" not in table]
        if missing:
            raise ValueError(f"{self.name}: neither arc nor ignore for {', '.join(missing)}")
        return table

    def advance[M: Machine](self, machine: M, event: str, given: Any, timing: Timing, effects: list[Effect]) -> M:
        """Return the record after `event`, appending what it asks for to `effects`; the same record when ignored.

        `given` is what came with the event (a message, or None) and is handed to the actions as it is.
        Raises UnexpectedEvent for a pair that the figure does not know. Pure, never blocks, any thread.
        """
        try:
            arc = self._table[f"{machine.state} {event}"]
        except KeyError:
            raise UnexpectedEvent(self.name, machine.state, event) from None
        if arc is None:
            return machine
        next_state, actions, stopped = arc
        advanced = machine.copy()
        advanced.state = next_state
        if stopped:
            effects.extend([StopTimer(machine.key, letter) for letter in stopped])
        for action in actions:
            action(advanced, given, timing, effects)
        return advanced

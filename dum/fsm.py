"""State diagrams as tables: every machine of the stack is a `Figure`, one row for each arc of the RFC's drawing.

A figure is data. `advance` is made from it: it finds the arc, copies the record, stops the timers that do not live in
the next state and runs the arc's actions on the copy. Actions are functions named after the label under the line;
they change only the copy that they are given and append effects, so a step is pure seen from outside: the record that
went in is untouched, and the same step can be run again after a lost race.

`arcs` and `ignores` together must name every pair of state and event. What is in neither is a bug of ours, never of
the peer, and raises `UnexpectedEvent`.

Why `advance` is written out as source instead of looking the arc up. Every thread steps every figure, and a table in
a module global is one mortal object: each look-up changes its reference count, and the threads fight for that cache
line: on a step that changes nothing, two threads with a table did 0.58 of the work of two processes; written out they
do as much. A function and the string constants in it cost nothing to share. `source` shows what was made.
A module that steps a figure on a hot path binds `advance = FIGURE.advance` once for the same reason: the figure
itself is a mortal object too.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self

from dum.effects import Effect, StopTimer
from dum.timers import Timing

type Action = Callable[[Any, Any, Timing, list[Effect]], None]
type Arc = tuple[str, str, str, tuple[Action, ...]]

TIMER = "TIMER_"  # what the name of an event begins with when it is a timer's; its letter follows
RESERVED = frozenset({"advance", "advanced", "effects", "enter", "event", "given", "machine", "state", "timing"})


class Machine(Protocol):
    """A record that a figure can advance: its key, its state, and a way to copy it."""

    key: str
    state: str

    def copy(self) -> Self:
        """Return a new record with the same fields."""
        ...


class Advance(Protocol):
    """A step of a figure, `Figure.advance`."""

    def __call__[M: Machine](self, machine: M, event: str, given: Any, timing: Timing, effects: list[Effect], /) -> M:
        """Return the record after `event`, appending what it asks for to `effects`; the same record when ignored.

        `given` is what came with the event (a message, or None) and is handed to the actions as it is.
        Raises UnexpectedEvent for a pair that the figure does not know. Pure, never blocks, any thread.
        """
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

    `initial` is where a record begins and `final` the state in which it is forgotten; `entry` are the actions at the
    arrow that leads in from nowhere, which `enter(machine, given, timing, effects)` runs on a record that its caller
    has just made. `advance` is a step (see Advance). Raises ValueError at import when the table contradicts itself:
    two arcs for a pair, an arc that is also ignored, a pair that is named nowhere.
    Immutable after it is made and safe to share between threads.
    """

    __slots__ = (
        "advance",
        "arcs",
        "enter",
        "entry",
        "events",
        "final",
        "ignores",
        "initial",
        "name",
        "source",
        "states",
        "timers",
    )

    def __init__(
        self,
        name: str,
        arcs: Iterable[Arc],
        *,
        initial: str,
        final: str,
        timers: Mapping[str, str],
        ignores: Mapping[str, Iterable[str]],
        entry: Iterable[Action] = (),
    ) -> None:
        self.name = name
        self.arcs = tuple(arcs)
        self.initial = initial
        self.final = final
        self.entry = tuple(entry)
        self.timers = dict(timers)
        self.ignores = {state: frozenset(events) for state, events in ignores.items()}
        self.states = tuple(dict.fromkeys([*(arc[0] for arc in self.arcs), *(arc[2] for arc in self.arcs)]))
        self.events = tuple(
            dict.fromkeys([*(arc[1] for arc in self.arcs), *(e for events in ignores.values() for e in events)])
        )
        self._check()
        self.source, functions = self._written()
        exec(compile(self.source, f"<{name}>", "exec"), functions)
        self.advance: Advance = functions["advance"]
        self.enter: Action = functions["enter"]

    def _check(self) -> None:
        """Raise ValueError unless arcs and ignores name every pair of state and event exactly once."""
        pairs = [f"{state} {event}" for state, event, _, _ in self.arcs]
        twice = sorted({pair for pair in pairs if pairs.count(pair) > 1})
        if twice:
            raise ValueError(f"{self.name}: two arcs for {', '.join(twice)}")
        ignored = {f"{state} {event}" for state, events in self.ignores.items() for event in events}
        both = sorted(ignored.intersection(pairs))
        if both:
            raise ValueError(f"{self.name}: both an arc and an ignore for {', '.join(both)}")
        named = ignored.union(pairs)
        missing = [f"{s} {e}" for s in self.states if s != self.final for e in self.events if f"{s} {e}" not in named]
        if missing:
            raise ValueError(f"{self.name}: neither arc nor ignore for {', '.join(missing)}")
        strangers = sorted({*self.timers, *self.ignores, self.initial, self.final}.difference(self.states))
        if strangers:
            raise ValueError(f"{self.name}: no arc leads to or from {', '.join(strangers)}")

    def stopped(self, state: str, event: str, next_state: str) -> str:
        """Return the letters of the timers that an arc stops; the timer that fired needs no stopping."""
        kept = self.timers.get(next_state, "")
        return "".join(t for t in self.timers.get(state, "") if t not in kept and event != TIMER + t)

    def _written(self) -> tuple[str, dict[str, Any]]:
        """Return `advance` and `enter` as source, and the names that it needs."""
        names: dict[str, Any] = {"StopTimer": StopTimer, "UnexpectedEvent": UnexpectedEvent}
        lines = ["def enter(machine, given, timing, effects):"]
        lines += [f"    {line}" for line in _calls("machine", self.entry, names)] or ["    pass"]
        lines += ["", "def advance(machine, event, given, timing, effects):", "    state = machine.state"]
        for state in self.states:
            if state == self.final:
                continue
            lines.append(f"    if state == {state!r}:")
            for _, event, next_state, actions in (arc for arc in self.arcs if arc[0] == state):
                lines += [f"        if event == {event!r}:", "            advanced = machine.copy()"]
                if next_state != state:
                    lines.append(f"            advanced.state = {next_state!r}")
                for letter in self.stopped(state, event, next_state):
                    lines.append(f"            effects.append(StopTimer(advanced.key, {letter!r}))")
                lines += [f"            {line}" for line in _calls("advanced", actions, names)]
                lines.append("            return advanced")
            if self.ignores.get(state):
                lines += [f"        if event in {tuple(sorted(self.ignores[state]))!r}:", "            return machine"]
        lines.append(f"    raise UnexpectedEvent({self.name!r}, state, event)")
        return "\n".join(lines) + "\n", names


def _calls(machine: str, actions: Iterable[Action], names: dict[str, Any]) -> list[str]:
    """Return the lines that run `actions` on `machine`, and enter their functions in `names`."""
    lines = []
    for action in actions:
        name = action.__name__
        if name in RESERVED or not name.isidentifier():
            raise ValueError(f"an action cannot be named {name}: the written step uses that name itself, or cannot")
        if names.setdefault(name, action) is not action:
            raise ValueError(f"two different actions are named {name}")
        lines.append(f"{name}({machine}, given, timing, effects)")
    return lines

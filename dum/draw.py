"""Draws the figures: `python -m dum.draw DIRECTORY` writes one Markdown page for each, with a Mermaid state diagram.

The pages come from the tables that run, so they cannot go stale unseen: a test compares what is committed with what
would be drawn now. The words are those of the RFCs' drawings.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from dum.fsm import TIMER, Action, Figure
from dum.transaction.client import FIGURE_6
from dum.transaction.invite_client import FIGURE_5
from dum.transaction.invite_server import FIGURE_7
from dum.transaction.server import FIGURE_8
from dum.usage import callee, caller

FIGURES = {
    "rfc6026_figure5": FIGURE_5,
    "rfc3261_figure6": FIGURE_6,
    "rfc6026_figure7": FIGURE_7,
    "rfc3261_figure8": FIGURE_8,
    "rfc5407_figure1": caller.FIGURE,
    "rfc5407_figure2": callee.FIGURE,
}
TITLES = {
    "rfc6026_figure5": "INVITE client transaction",
    "rfc3261_figure6": "Non-INVITE client transaction",
    "rfc6026_figure7": "INVITE server transaction",
    "rfc3261_figure8": "Non-INVITE server transaction",
    "rfc5407_figure1": "INVITE usage of the one who calls",
    "rfc5407_figure2": "INVITE usage of the one who is called",
}
CLASSES = {"1XX": "1xx", "1XX_UNTAGGED": "1xx without tag", "2XX": "2xx", "3XX_6XX": "300-699", "2XX_6XX": "200-699"}
SPELT = {"tu": "TU", "ack": "ACK", "bye": "BYE", "invite": "INVITE", "resp": "resp.", "t2": "T2"}


def event_label(event: str) -> str:
    """Return an event in the words of the drawings: TIMER_A is "Timer A fires", TU_2XX is "2xx from TU"."""
    if event.startswith(TIMER):
        return f"Timer {event.removeprefix(TIMER)} fires"
    if event == "TRANSPORT_ERROR":
        return "Transport Err."
    if event == "REQUEST":
        return "Request"
    if event.removeprefix("R") in CLASSES:
        return CLASSES[event.removeprefix("R")]
    if event.removeprefix("TU_") in CLASSES:
        return f"{CLASSES[event.removeprefix('TU_')]} from TU"
    return event.replace("_", " ")


def action_label(action: Action) -> str:
    """Return the label under the line that an action is named after: start_d is "start D"."""
    words = action.__name__.split("_")
    return " ".join(SPELT.get(word, word.upper() if len(word) == 1 else word) for word in words)


def labels(actions: Iterable[Action]) -> str:
    """Return the labels of several actions, "-" for none."""
    return ", ".join(action_label(action) for action in actions) or "-"


def drawn(figure: Figure, title: str) -> str:
    """Return the page of a figure: the diagram, which timers live where, and what is ignored on purpose."""
    lines = [f"# {figure.name}: {title}", "", "Drawn from the table by `make figures`; do not edit.", "", "```mermaid"]
    lines += ["stateDiagram-v2", f"    [*] --> {figure.initial} : start / {labels(figure.entry)}"]
    lines += [
        f"    {state} --> {next_state} : {event_label(event)} / {labels(actions)}"
        for state, event, next_state, actions in figure.arcs
    ]
    lines += [f"    {figure.final} --> [*]", "```", "", "| state | event | next state | actions | timers stopped |"]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| {state} | {event_label(event)} | {next_state} | {labels(actions)} "
        f"| {' '.join(figure.stopped(state, event, next_state)) or '-'} |"
        for state, event, next_state, actions in figure.arcs
    ]
    lines += ["", "| state | its timers | ignored there |", "|---|---|---|"]
    lines += [
        f"| {state} | {' '.join(figure.timers.get(state, '')) or '-'} "
        f"| {', '.join(event_label(event) for event in sorted(figure.ignores.get(state, ()))) or '-'} |"
        for state in figure.states
        if state != figure.final
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    return {f"{name}.md": drawn(figure, TITLES[name]) for name, figure in FIGURES.items()}


def main(arguments: list[str]) -> int:
    """Write the pages into the directory named; return the exit status, 2 when the arguments are wrong."""
    if len(arguments) != 1:
        print("usage: python -m dum.draw DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (directory / name).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""What a command has to say at the end: one dict, which becomes a JSON object or a table."""

import json
import platform
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

import stm
from dum import DialogUsageManager

type Report = dict[str, Any]

_PERCENTILES = (50, 95, 99)


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 by nearest rank, in the unit of `values`; None each when there are no values."""
    ordered = sorted(values)
    return {
        f"p{percent}": ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None for percent in _PERCENTILES
    }


def surroundings(manager: DialogUsageManager) -> Report:
    """Return what stack, memory and interpreter have to say: the part of a report that all commands share."""
    counts = manager.statistics()
    memory = stm.statistics()
    commits = memory["commits"]
    return {
        "retransmissions": counts.get("retransmissions", 0),
        "memory": {
            "commits": commits,
            "conflicts": sum(memory["conflicts"].values()),
            "attempts_per_commit": round(memory["attempts"] / commits, 4) if commits else None,
        },
        "threads": counts["threads"],
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
        "statistics": counts,
    }


def rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the table: a name and a value each, for what the report holds."""
    calls = report["calls"]
    lines = [(f"calls {name}", f"{number:,}") for name, number in calls.items() if name != "reasons"]
    lines += [(f"  {reason}", f"{number:,}") for reason, number in sorted(calls["reasons"].items())]
    lines.append(("time", f"{report['seconds']:.1f} s"))
    lines.append(("calls per second", f"{report['calls_per_second']:.1f}"))
    ended = calls["completed"] + calls["failed"]
    lines.append(("CPU time per call", f"{report['processor_seconds'] / ended * 1000:.2f} ms" if ended else "-"))
    for name, value in report.get("setup_seconds", {}).items():
        lines.append((f"call set-up time {name}", "-" if value is None else f"{value * 1000:.1f} ms"))
    memory = report["memory"]
    attempts = memory["attempts_per_commit"]
    return [
        *lines,
        ("retransmissions", f"{report['retransmissions']:,}"),
        ("memory transactions committed", f"{memory['commits']:,}"),
        ("  conflicts", f"{memory['conflicts']:,}"),
        ("  attempts per commit", "-" if attempts is None else f"{attempts:.4f}"),
        ("threads", f"{report['threads']}"),
        ("interpreter", report["interpreter"]),
        ("free-threaded build", "yes" if report["free_threaded_build"] else "no"),
        ("GIL", "on" if report["gil"] else "off"),
    ]


def table(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return one table with a column for each report, by the name that stands over it."""
    drawn = Table(box=box.SIMPLE_HEAD)
    drawn.add_column("", no_wrap=True)
    values = {name: dict(rows(report)) for name, report in columns.items()}
    names: list[str] = []
    for found in values.values():
        # Each side's own lines in their order, those of a later side after the line they follow there.
        place = 0
        for line in found:
            if line in names:
                place = names.index(line) + 1
            else:
                names.insert(place, line)
                place += 1
    for name in values:
        drawn.add_column(name, justify="right", no_wrap=True)
    for line in names:
        drawn.add_row(line, *(found.get(line, "") for found in values.values()))
    return drawn


def show(columns: Mapping[str, Mapping[str, Any]], *, as_json: bool) -> None:
    """Write reports to standard output: as a table, or as one JSON object (by name, when there are several)."""
    if as_json:
        (only, *others) = columns.values()
        print(json.dumps(columns if others else only), flush=True)
    else:
        Console(highlight=False).print(table(columns))

"""Everything about the memory in one run, as a report and a plot: `python -m perf.stm [--quick] [--into FOLDER]`.

Writes stm.txt (the report), stm.svg (throughput against threads) and stm.json (the costs, for pyperf) into
perf/results, or another folder.  With --quick about two minutes on two quiet cores and rough figures, else about ten
minutes.  Each part runs in processes of its own; its method is told at the head of its file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perf import (
    plot,
    report,
    stm_bars,
    stm_costs,
    stm_efficiency,
    stm_pauses,
    stm_queues,
    stm_throughput,
)

METHOD = """
Everything is measured side by side: a shape and its twins take turns in one run (A B C A B C ...), and what is
compared comes from the same run. Figures are medians with their range in brackets. Cost is processor time, scaling is
threads against processes pair by pair. Throughput, queues, pauses and wake-ups are by the wall clock, which on a shared
machine holds what others did to it as well. The method of each part: the head of perf/stm_*.py, and perf/README.md.
"""
PARTS: dict[str, tuple[str, Callable[[Any], list[str]], Callable[[Any], list[stm_bars.Bar]]]] = {
    "stm_costs": ("Cost of one transaction in one thread", stm_costs.lines, stm_bars.cost_bars),
    "stm_efficiency": ("Threads against processes", stm_efficiency.lines, stm_bars.efficiency_bars),
    "stm_throughput": ("Throughput against threads", stm_throughput.lines, stm_bars.throughput_bars),
    "stm_queues": ("Queues and a sleeping retry", stm_queues.lines, stm_bars.queue_bars),
    "stm_pauses": ("A million entries, two writers and a reader", stm_pauses.lines, stm_bars.pause_bars),
}


def run(part: str, quick: bool, into: Path) -> tuple[Any, str]:
    """What a part found, and a line about the circumstances."""
    command = [sys.executable, "-m", f"perf.{part}", "--json", *(["--quick"] if quick else [])]
    if part == "stm_costs":
        command += ["--output", str(into / "stm.json")]
    before, begun = report.load(), time.monotonic()
    done = subprocess.run(command, cwd=report.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout), f"{time.monotonic() - begun:.0f} s, load {before} before, {report.load()} after"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--into", type=Path, default=report.RESULTS, metavar="FOLDER")
    options = parser.parse_args()
    into = options.into.resolve()
    into.mkdir(parents=True, exist_ok=True)
    kind = "quick run, rough figures" if options.quick else "full run"
    text = report.head(f"The memory beside its twins ({kind})", METHOD, ["atomix-stm", "cereggii", "pyperf"])
    bars: list[str] = []
    sections: list[str] = []
    for part, (title, lines, bars_of) in PARTS.items():
        print(f"{title} ...", file=sys.stderr, flush=True)
        found, circumstances = run(part, options.quick, into)
        bars += [str(bar) for bar in bars_of(found)]
        sections += ["", title, "-" * len(title), f"({circumstances})", *lines(found)]
        if part == "stm_throughput":
            today = datetime.datetime.now(datetime.UTC).date()
            (into / "stm.svg").write_text(plot.svg(found, f"{report.build()}; commit {report.commit()}; {today}"))
        title = "What was asked, and what came out"
        whole = "\n".join([*text, title, "-" * len(title), *bars, *sections, ""])
        (into / "stm.txt").write_text(whole)  # after each part, so that an interrupted run leaves what it has
    print(whole)


if __name__ == "__main__":
    main()

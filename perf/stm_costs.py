"""What one memory transaction costs in one thread, beside its twins: `python -m perf.stm_costs [--quick]`.

Each round is a fresh process that takes all bodies in turn (A B C A B C ...), so that what disturbs the machine
disturbs all of them, and what differs between processes (addresses, hashes) is averaged out.  The figures are
microseconds of processor time for one transaction, median and range over all turns.  `--output FILE` writes them for
`python -m pyperf show`, `stats`, `hist` or `compare_to`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perf import stm_maps
from perf.report import ROOT, spread
from perf.stm_shapes import SHAPES, TWINS, Body, inline_lock, installed

TURNS = 3
SLOW = "atomix-stm"  # gets a tenth of the transactions
INLINE = "with lock: d[k] += 1"

type Figures = dict[str, dict[str, list[float]]]  # shape -> twin -> microseconds


def bodies(shape: str) -> dict[str, Body]:
    """What runs a number of transactions of this shape, by twin; one thread needs no difference between locks."""
    draw = tuple(range(SHAPES[shape][0]))
    found = {name: twin(shape)([draw]) for name, twin in installed(TWINS, shape).items() if name != "coarse lock"}
    if shape == "1r1w":
        found[INLINE] = inline_lock(shape)([draw])
    return found


def timed(body: Callable[[Any], None], argument: Any, number: int) -> float:
    """Microseconds of processor time for one of so many transactions."""
    start = time.process_time_ns()
    body(argument)
    return (time.process_time_ns() - start) / number / 1000


def one_round(number: int) -> Figures:
    """All shapes and twins in turn, in this process; the first turn warms up and is not kept."""
    figures: Figures = {}
    for shape in SHAPES:
        running = bodies(shape)
        found = figures[shape] = {name: [] for name in running}
        for turn in range(TURNS + 1):
            for name, body in running.items():
                few = number // 10 if name == SLOW else number
                value = timed(body, few, few)
                if turn:
                    found[name].append(value)
    for step in stm_maps.STEPS:
        figures[step] = {name: [] for name in installed(stm_maps.TWINS, "map lookup")}
    for _ in range(TURNS):
        for name in figures[stm_maps.STEPS[0]]:
            for step, run in zip(stm_maps.STEPS, stm_maps.MAPS[name](), strict=True):
                figures[step][name].append(timed(run, range(number), number))
    return figures


def measure(quick: bool) -> list[Figures]:
    """The figures of several rounds, each from a process of its own."""
    number, rounds = (2_000, 4) if quick else (5_000, 8)
    command = [sys.executable, "-m", "perf.stm_costs", "--one-round", str(number)]
    made = []
    for _ in range(rounds):
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        made.append(json.loads(done.stdout.splitlines()[-1]))
    return made


def together(rounds: list[Figures]) -> Figures:
    """All figures of one shape and twin in one list."""
    return {
        shape: {name: [value for each in rounds for value in each[shape][name]] for name in twins}
        for shape, twins in rounds[0].items()
    }


def lines(figures: Figures) -> list[str]:
    """The report for a person; the factor is the twin's median over that of the memory."""
    made = []
    for shape, twins in figures.items():
        own = statistics.median(next(iter(twins.values())))
        made.append(shape)
        for name, values in twins.items():
            factor = statistics.median(values) / own
            made.append(f"  {name:24} {spread(values):>28} us  {factor:8.2f} x")
    return made


def save(rounds: list[Figures], file: Path) -> None:
    """Write the rounds as a pyperf suite: one benchmark for each shape and twin, one run for each process."""
    import pyperf  # type: ignore[import-untyped]

    benchmarks = []
    for shape, twins in rounds[0].items():
        for name in twins:
            facts = {"name": f"{shape}: {name}", "unit": "second", "timer": "time.process_time_ns()"}
            runs = [
                pyperf.Run([value / 1e6 for value in each[shape][name]], metadata=facts, collect_metadata=False)
                for each in rounds
            ]
            benchmarks.append(pyperf.Benchmark(runs))
    pyperf.BenchmarkSuite(benchmarks).dump(str(file), replace=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the figures as pyperf's JSON")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--one-round", type=int, metavar="NUMBER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_round:
        print(json.dumps(one_round(options.one_round)))
        return
    rounds = measure(options.quick)
    if options.output:
        save(rounds, options.output)
    figures = together(rounds)
    print(json.dumps(figures) if options.json else "\n".join(lines(figures)))


if __name__ == "__main__":
    main()

"""The benchmarks by name: `python -m perf [NAME ...] [--full] [--list]`.

Without names all of them, quickly (some five minutes in all).  Each writes its report, head and all, into build/perf;
with --full it takes its time and writes into perf/results, to be committed.  A part that runs past its limit is ended
and the report says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from perf import report


@dataclass(frozen=True, slots=True)
class Part:
    """One program, with what makes it quick."""

    module: str
    quick: tuple[str, ...] = ("--quick",)
    full: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One report.  `limit`: seconds for each part of a quick run; a full one gets ten times as many."""

    title: str
    parts: tuple[Part, ...]
    distributions: tuple[str, ...] = field(default=())
    limit: float = 120.0


BENCHMARKS = {
    "stm": Benchmark("The memory beside its twins", (Part("perf.stm"),), limit=300.0),
    "stm_profile": Benchmark("Where the time of a memory transaction goes", (Part("perf.stm_profile"),)),
    "codec": Benchmark(
        "The message codec beside other libraries",
        (Part("perf.codec", ("--rounds", "3")), Part("perf.codec_threads", ("--rounds", "3"))),
        ("sipmessage", "opensip", "aiosipua", "sippy"),
    ),
    "transport": Benchmark(
        "The transports beside bare sockets and other structures",
        (
            Part("perf.transport_costs", ()),
            Part("perf.transport_deadlines", ()),
            Part("perf.transport_connections", ("--tcp", "1000", "--tls", "200")),
        ),
        ("sortedcontainers",),
    ),
}
WRITES_ITSELF = {"stm": ("--into",)}  # reports that need more than the output of their parts
HAS_A_HEAD = {"stm_profile"}
METHOD = """
Everything compared is measured in turns in one run (A B C A B C ...); figures are medians, of processor time unless it
says otherwise. The method of each part: the head of its file, and perf/README.md.
"""


def output(part: Part, full: bool, limit: float, more: tuple[str, ...] = ()) -> str:
    """What a part prints, or why it did not come to its end."""
    command = [sys.executable, "-m", part.module, *(part.full if full else part.quick), *more]
    try:
        done = subprocess.run(command, cwd=report.ROOT, stdout=subprocess.PIPE, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        printed = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        return f"{printed}\nended after its limit of {limit:.0f} s\n"
    return done.stdout if not done.returncode else f"{done.stdout}\nfailed with status {done.returncode}\n"


def run(name: str, full: bool, into: Path) -> str:
    """Run one benchmark, write its report and return it."""
    benchmark = BENCHMARKS[name]
    limit = benchmark.limit * (10 if full else 1)
    if name in WRITES_ITSELF:
        return output(benchmark.parts[0], full, limit, (*WRITES_ITSELF[name], str(into)))
    text = [] if name in HAS_A_HEAD else report.head(benchmark.title, METHOD, benchmark.distributions)
    for part in benchmark.parts:
        if len(benchmark.parts) > 1:
            command = " ".join(["python -m", part.module, *(part.full if full else part.quick)])
            text += [command, "-" * len(command)]
        text.append(output(part, full, limit))
    whole = "\n".join(text).rstrip() + "\n"
    (into / f"{name}.txt").write_text(whole)
    return whole


def main() -> None:
    """List, or run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--full", action="store_true", help="take the time, and write into perf/results")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    for name in options.names or BENCHMARKS:
        print(f"{name:14}{BENCHMARKS[name].title}")
    if options.list:
        return
    into = report.RESULTS if options.full else report.ROOT / "build" / "perf"
    into.mkdir(parents=True, exist_ok=True)
    for name in options.names or BENCHMARKS:
        print(f"\n{run(name, options.full, into)}", flush=True)
    print(f"reports: {into.relative_to(report.ROOT)}")


if __name__ == "__main__":
    main()

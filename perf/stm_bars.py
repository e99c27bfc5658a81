"""What the memory was asked to show, beside what it showed: the table at the head of the report."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from perf.report import spread
from perf.stm_costs import INLINE, Figures
from perf.stm_efficiency import Ratios
from perf.stm_pauses import Pauses
from perf.stm_queues import Figures as QueueFigures
from perf.stm_throughput import Point


@dataclass(frozen=True, slots=True)
class Bar:
    """One line: what, what was asked, what came out."""

    what: str
    asked: str
    found: str
    reached: bool

    def __str__(self) -> str:
        return f"{'reached    ' if self.reached else 'NOT REACHED'}  {self.what}: {self.asked}; found {self.found}"


def median(values: list[float]) -> float:
    return statistics.median(values)


def cost_bars(costs: Figures) -> list[Bar]:
    """One thread, beside atomix-stm and a plain lock."""
    made = []
    for shape in ("1r1w", "2r2w"):
        own = median(costs[shape]["stm"])
        if "atomix-stm" in costs[shape]:
            factor = median(costs[shape]["atomix-stm"]) / own
            made.append(Bar(shape, "20 x faster than atomix-stm", f"{factor:.1f} x", factor >= 20))
    factor = median(costs["1r1w"]["stm"]) / median(costs["1r1w"][INLINE])
    made.append(Bar("1r1w", f"within 20 x of `{INLINE}`", f"{factor:.1f} x", factor <= 20))
    return made


def efficiency_bars(ratios: Ratios) -> list[Bar]:
    """Two threads against two processes."""
    made = []
    for name, pairs in ratios.items():
        if name.endswith("2 threads"):
            wall, cpu = ([pair[which] for pair in pairs] for which in (0, 1))
            found = f"{spread(wall)}, by processor time {spread(cpu)}"
            made.append(Bar(f"disjoint {name}", "efficiency >= 0.95", found, median(wall) >= 0.95))
    return made


def throughput_bars(points: list[Point]) -> list[Bar]:
    """Skewed records, and the one hot record."""
    rates = {
        (point["shape"], point["place"], point["twin"], point["threads"]): median(point["rates"]) for point in points
    }
    made = []
    for shape in ("1r1w", "2r2w"):
        factor = rates[shape, "zipf", "stm", 4] / rates[shape, "zipf", "coarse lock", 4]
        made.append(Bar(f"zipf {shape}, 4 threads", "more than one coarse lock", f"{factor:.2f} x of it", factor > 1))
    factor = rates["1r1w", "hot", "stm", 8] / rates["1r1w", "hot", "stm", 1]
    made.append(Bar("one hot record, 8 threads", "half of one thread's", f"{factor:.2f} x", factor >= 0.5))
    least = [
        median(point["least"])
        for point in points
        if (point["shape"], point["place"], point["twin"], point["threads"]) == ("1r1w", "hot", "stm", 8)
    ]
    made.append(Bar("its least thread", "a tenth of the mean", f"{least[0]:.2f}", least[0] >= 0.1))
    return made


def queue_bars(figures: QueueFigures) -> list[Bar]:
    """Million items, and the sleeping retry."""
    made = []
    for pairs in ("1 to 1", "4 to 4"):
        simple, locked = (median(figures["wall"][f"{pairs}, queue.{name}"]) for name in ("SimpleQueue", "Queue"))
        for name in ("single puts", "batches of 8", "batches of 64"):
            own = median(figures["wall"][f"{pairs}, stm.Fifo, {name}"])
            asked = "faster than SimpleQueue, 25 x faster than queue.Queue"
            found = f"{own:.3f} s, {simple / own:.1f} x and {locked / own:.0f} x"
            made.append(Bar(f"Fifo {pairs}, {name}", asked, found, own < simple and locked / own >= 25))
    cuts = statistics.quantiles(figures["woken"]["retry"], n=100)
    share = figures["asleep"]
    made.append(Bar("asleep in retry", "no processor time", f"{share:.3%} of a core", share < 0.001))
    woken = f"p50 {cuts[49]:.0f} us, p99 {cuts[98]:.0f} us"
    made.append(Bar("woken by a commit", "within 1 ms", woken, cuts[98] <= 1000))
    return made


def pause_bars(found: dict[str, list[Pauses]]) -> list[Bar]:
    """The large map, with the collector off as a server has it."""
    rounds = found["stm.Map, collector off"]
    made = []
    for name in ("insert", "lookup"):
        wall = max(each["insert_wall"] if name == "insert" else each["lookup_wall"] for each in rounds)
        cpu = max(each["insert_cpu"] if name == "insert" else each["lookup_cpu"] for each in rounds)
        text = f"{wall:.1f} ms by the wall clock, {cpu:.1f} ms of processor time"
        made.append(Bar(f"slowest {name} of a million", "20 ms", text, wall <= 20))
    return made

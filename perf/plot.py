"""Throughput against threads as SVG: one panel for each shape and place, one line for each twin, both axes doubling."""

from __future__ import annotations

import html
import itertools
import math
import statistics
from collections.abc import Iterable, Sequence

from perf.stm_throughput import Point

WIDTH, HEIGHT, LEFT, TOP, COLUMNS = 300, 210, 52, 26, 4
COLOURS = {
    "stm": "#c0392b",
    "stm.Map": "#c0392b",
    "coarse lock": "#2c3e50",
    "dict + lock": "#2c3e50",
    "striped locks": "#2980b9",
    "dicts + striped locks": "#2980b9",
    "own lock": "#7f8c8d",
    "atomix-stm": "#e67e22",
    "cereggii.AtomicDict": "#27ae60",
}


def svg(points: Sequence[Point], caption: str) -> str:
    """The whole picture."""
    groups = [
        (f"{shape}, {place}", list(group))
        for (shape, place), group in itertools.groupby(points, key=lambda point: (point["shape"], point["place"]))
    ]
    rows = math.ceil(len(groups) / COLUMNS)
    width, height = COLUMNS * WIDTH + 20, rows * HEIGHT + 90
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="16" y="22" font-size="15">Memory transactions a second against threads (median; log scale)</text>',
        f'<text x="16" y="40" font-size="11" fill="#555">{html.escape(caption)}</text>',
    ]
    for index, (title, group) in enumerate(groups):
        across, down = index % COLUMNS * WIDTH + 10, index // COLUMNS * HEIGHT + 50
        made += [f'<g transform="translate({across},{down})">', *panel(title, group), "</g>"]
    made += [*legend(height - 18), "</svg>"]
    return "\n".join(made) + "\n"


def panel(title: str, group: Sequence[Point]) -> Iterable[str]:
    """One set of axes with its lines."""
    rates = [statistics.median(point["rates"]) for point in group]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates) * 1.05))
    wide, tall = WIDTH - LEFT - 16, HEIGHT - TOP - 34

    def x(threads: int) -> float:
        return LEFT + math.log2(threads) / 3 * wide

    def y(rate: float) -> float:
        return TOP + (high - math.log10(rate)) / (high - low) * tall

    yield f'<text x="{LEFT}" y="16" font-size="12" font-weight="bold">{html.escape(title)}</text>'
    for power in range(low, high + 1):
        level = y(10**power)
        yield f'<path d="M{LEFT} {level:.1f}h{wide}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{level + 4:.1f}" font-size="10" text-anchor="end">{amount(10**power)}</text>'
    for threads in (1, 2, 4, 8):
        middle = f'x="{x(threads):.1f}" y="{TOP + tall + 15}"'
        yield f'<text {middle} font-size="10" text-anchor="middle">{threads}</text>'
    for twin, some in itertools.groupby(group, key=lambda point: point["twin"]):
        places = [(x(point["threads"]), y(statistics.median(point["rates"]))) for point in some]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        colour, thick = COLOURS.get(twin, "#000"), 2.5 if twin.startswith("stm") else 1.3
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{thick}"/>'
        for across, down in places:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="2.4" fill="{colour}"/>'


def amount(number: float) -> str:
    """1000 -> 1k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def legend(down: int) -> Iterable[str]:
    """Which colour is what; a container's twin has the colour of the like for records."""
    names: dict[str, list[str]] = {}
    for name, colour in COLOURS.items():
        names.setdefault(colour, []).append(name)
    across = 16
    for colour, some in names.items():
        text = " / ".join(some)
        yield f'<rect x="{across}" y="{down - 9}" width="18" height="4" fill="{colour}"/>'
        yield f'<text x="{across + 24}" y="{down - 3}" font-size="11">{html.escape(text)}</text>'
        across += 44 + 7 * len(text)

"""Transactions a second against threads, beside twins: `python -m perf.stm_throughput [--quick]`.

Every shape is run by 1, 2, 4 and 8 threads on records that are *disjoint* (each thread its own), *zipf* (drawn from
1,000 with probability 1 / rank ** 0.99), or *hot* (the first record is the same one for everybody, the others are the
thread's own).  All twins run in turn for the same short window, round after round; quoted is the median of the total
over the rounds.  The least share of a thread is stated too: 1.0 means that all got the same.  The window of
one hot record is five times as long, for a busy machine shares its cores out in slices.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import random
import statistics
import threading
import time
from typing import TypedDict

from perf import stm_maps
from perf.stm_shapes import SHAPES, TWINS, Body, Draws, Prepare, installed

THREADS = (1, 2, 4, 8)
PLACES = ("disjoint", "zipf", "hot")
RECORDS, EXPONENT, DRAWS = 1000, 0.99, 256
_WEIGHTS = list(itertools.accumulate(1 / rank**EXPONENT for rank in range(1, RECORDS + 1)))


class Point(TypedDict):
    """One shape at one place by one twin with so many threads: totals a second, and the least thread's share."""

    shape: str
    place: str
    twin: str
    threads: int
    rates: list[float]
    least: list[float]


def zipf(chance: random.Random) -> int:
    """A record's number, 0 the likeliest."""
    return bisect.bisect_left(_WEIGHTS, chance.random() * _WEIGHTS[-1])


def distinct(chance: random.Random, count: int) -> tuple[int, ...]:
    """So many different records."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[zipf(chance)] = None
    return tuple(found)


def draws_of(place: str, thread: int, count: int) -> Draws:
    """What the transactions of one thread touch, `count` records each."""
    own = range(RECORDS + thread * 100, RECORDS + thread * 100 + count)
    if place == "disjoint":
        return [tuple(own)]
    if place == "hot":
        return [(0, *own[1:])]
    chance = random.Random(thread)
    return [distinct(chance, count) for _ in range(DRAWS)]


def window(prepare: Prepare, place: str, count: int, threads: int, seconds: float) -> tuple[float, float]:
    """Transactions a second of all threads together in a window of so many seconds, and the least thread's share."""
    done, ends, starts = [0] * threads, [0.0] * threads, [0.0]
    barrier = threading.Barrier(threads, action=lambda: starts.append(time.perf_counter()))

    def run(number: int) -> None:
        body = prepare(draws_of(place, number, count))
        piece = piece_of(body)
        barrier.wait()
        end = starts[-1] + seconds
        while (now := time.perf_counter()) < end:
            body(piece)
            done[number] += piece
        ends[number] = now

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    total = sum(done)
    return total / (max(ends) - starts[-1]), min(done) * threads / total


def piece_of(body: Body) -> int:
    """How many transactions take about half a millisecond, at least two; even, as inserts and removals are."""
    body(4)
    start = time.perf_counter()
    body(4)
    return max(1, min(500, int(0.001 / (time.perf_counter() - start + 1e-9)))) * 2


def plan() -> list[tuple[str, str]]:
    """The shapes with their places."""
    places = [(shape, place) for shape in SHAPES for place in PLACES]
    return [*places, *(("map lookup", place) for place in PLACES), ("map insert + remove", "disjoint")]


def measure(quick: bool) -> list[Point]:
    """All points, the twins of each taken in turn."""
    seconds, rounds = (0.06, 1) if quick else (0.1, 3)
    points: list[Point] = []
    for shape, place in plan():
        twins = installed(TWINS if shape in SHAPES else stm_maps.TWINS, shape)
        if place != "disjoint":
            twins.pop("own lock", None)
        count = SHAPES.get(shape, (1, 0))[0]
        made: dict[tuple[str, int], Point] = {
            (name, threads): Point(shape=shape, place=place, twin=name, threads=threads, rates=[], least=[])
            for name in twins
            for threads in THREADS
        }
        for _ in range(rounds):
            for (name, threads), point in made.items():
                long = 5 * seconds if (shape, place) == ("1r1w", "hot") else seconds  # the shares need time to even out
                rate, least = window(twins[name](shape), place, count, threads, long)
                point["rates"].append(rate)
                point["least"].append(least)
        points += made.values()
    return points


def lines(points: list[Point]) -> list[str]:
    """The report for a person."""
    made = []
    for (shape, place), group in itertools.groupby(points, key=lambda point: (point["shape"], point["place"])):
        made.append(f"{shape}, {place}: thousands a second with {', '.join(map(str, THREADS))} threads")
        for name, each in itertools.groupby(group, key=lambda point: point["twin"]):
            some = list(each)
            rates = " ".join(f"{statistics.median(point['rates']) / 1000:8.0f}" for point in some)
            least = " ".join(f"{statistics.median(point['least']):.2f}" for point in some)
            made.append(f"  {name:24}{rates}" + f"   least share {least}")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the points as JSON")
    options = parser.parse_args()
    points = measure(options.quick)
    print(json.dumps(points) if options.json else "\n".join(lines(points)))


if __name__ == "__main__":
    main()

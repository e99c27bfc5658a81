"""A history checker: what many threads read and wrote, and whether some serial order explains it.

Every write puts its own attempt's number in a record, so a read tells whose write it saw, and, since every writer
reads a record before writing it, the order of writes to one record is known for certain.  The history is right if
"must come before" has no circle: the writer I read from comes before me; I come before whoever overwrote what I read;
who ended before I began comes before me.  Attempts that were thrown away count as readers: a circle through one of
them would mean that it saw what never existed together (opacity).
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import count

from stm import Ref, Transaction, atomically


@dataclass(slots=True)
class Attempt:
    """What one attempt read (record -> whose write) and wrote, and when it was under way."""

    number: int
    began: float
    reads: dict[int, int] = field(default_factory=dict)
    writes: set[int] = field(default_factory=set)
    ended: float = 0.0
    committed: bool = False


def record_history(threads: int, records: int, seconds: float, seed: int) -> list[Attempt]:
    """Let threads run random transactions over a few records."""
    shared = [Ref(0) for _ in range(records)]
    numbers = count(1)
    logs: list[list[Attempt]] = [[] for _ in range(threads)]
    end = time.perf_counter() + seconds

    def attempt(txn: Transaction, log: list[Attempt], chance: random.Random) -> None:
        mine = Attempt(next(numbers), time.perf_counter())
        log.append(mine)
        for index in chance.sample(range(records), chance.randint(1, records)):
            mine.reads[index] = txn.get(shared[index])
            if chance.random() < 0.4:
                txn.set(shared[index], mine.number)
                mine.writes.add(index)

    def run(log: list[Attempt], chance: random.Random) -> None:
        while time.perf_counter() < end:
            atomically(attempt, log, chance)
            log[-1].committed = True
            log[-1].ended = time.perf_counter()

    workers = [
        threading.Thread(target=run, args=(log, random.Random(seed + number))) for number, log in enumerate(logs)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [attempt for log in logs for attempt in log]


def circle_in(history: list[Attempt]) -> list[int] | None:
    """A circle of attempts each of which must come before the next, or None: the history has a serial order."""
    before: dict[int, set[int]] = {attempt.number: set() for attempt in history}
    overwriter: dict[tuple[int, int], int] = {}
    for attempt in history:
        for record in attempt.writes if attempt.committed else ():
            seen = attempt.reads[record]
            if (record, seen) in overwriter:
                return [overwriter[record, seen], attempt.number]  # two overwrote the same write: an update was lost
            overwriter[record, seen] = attempt.number
    committed = {0} | {attempt.number for attempt in history if attempt.committed}
    for attempt in history:
        for record, seen in attempt.reads.items():
            if seen not in committed:
                return [seen, attempt.number]  # read from an attempt that never committed
            if seen:
                before[attempt.number].add(seen)
            following = overwriter.get((record, seen))
            if following is not None and following != attempt.number:
                before[following].add(attempt.number)
    _add_real_time(history, before)
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def _add_real_time(history: list[Attempt], before: dict[int, set[int]]) -> None:
    """Who ended before another began comes before it, by way of milestones in time, to keep the graph small."""
    moments = [(attempt.began, 1, attempt.number) for attempt in history]
    moments += [(attempt.ended, 0, attempt.number) for attempt in history if attempt.committed]
    milestone = 0
    for _, begins, number in sorted(moments):
        if begins:
            before[number].add(milestone)
        else:
            milestone -= 1
            before[milestone] = {number, milestone + 1}
    before.setdefault(0, set())

"""`python -m tests.stress SECONDS`: explores interleavings and checks histories for that long, and says how many."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, cast

from tests.races import scenarios
from tests.races.explorer import explore
from tests.races.steps import stepped
from tests.stress.history import circle_in, record_history

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.races.explorer import Scenario


def main(seconds: float) -> int:
    end = time.monotonic() + seconds
    bound = 1000
    finished: set[str] = set()
    while time.monotonic() < end:
        for scenario in scenarios.SCENARIOS:
            if scenario.__name__ in finished or time.monotonic() >= end:
                continue
            with stepped():
                report = explore(cast("Callable[[], Scenario]", scenario), bound)
            if report.complete:
                finished.add(scenario.__name__)
            extent = "every order" if report.complete else f"the first {report.orders + report.cut:,} runs"
            print(f"{scenario.__name__:36s} {extent}: {report.orders:,} orders, {report.steps:,} steps", flush=True)
        for threads, records in ((2, 2), (4, 4), (8, 16)):
            history = record_history(threads, records, min(2.0, max(0.2, seconds / 20)), seed=bound)
            circle = circle_in(history)
            committed = sum(attempt.committed for attempt in history)
            print(
                f"history of {threads} threads, {records} records: {committed:,} commits, "
                f"{len(history) - committed:,} attempts thrown away: {'a circle' if circle else 'serial'}",
                flush=True,
            )
            if circle:
                print(circle)
                return 1
        bound *= 4
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))

"""`dum load`: places many calls at a steady rate and says how they went."""

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from dum import Call, DialogUsageManager, Ended, Established
from dum.cli import arguments, report
from dum.cli.alarms import Alarms
from dum.cli.descriptions import Descriptions
from dum.cli.progress import CallProgress

# What a call may take once its own time is over: 64*T1 for a BYE or CANCEL that nobody answers, and some more.
_LAST_WORDS = 40.0
_GLANCE = 0.1


class Attempt:
    """What is known of one call; times are seconds on the load's clock, 0.0 for what has not happened."""

    __slots__ = ("established", "outcome", "placed", "timed_out")

    def __init__(self) -> None:
        self.placed = 0.0
        self.established = 0.0
        self.timed_out = False
        self.outcome = ""


class Load:
    """Places `calls` calls to `target`, `rate` a second whatever becomes of them, at most `concurrent` at once.

    Event-driven: established calls are ended `hold` seconds later by an alarm. One that is not established within
    `timeout` seconds is given up and has failed. `manager` must not be started yet; `run` blocks and is called once.
    """

    def __init__(
        self,
        manager: DialogUsageManager,
        target: str,
        *,
        calls: int,
        rate: float,
        concurrent: int,
        hold: float,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager
        self._target = target
        self.calls = calls
        self._rate = rate
        self._hold = hold
        self._timeout = timeout
        self._clock = clock
        self._offer = Descriptions(manager.addresses[0]).offer
        self._slots = threading.Semaphore(concurrent)
        self._lock = threading.Lock()
        self._attempts: dict[str, Attempt] = {}
        self.placed = 0
        self.done = 0
        self.reasons: Counter[str] = Counter()
        self.seconds = 0.0
        self.processor_seconds = 0.0
        self._all_done = threading.Event()
        self._alarms = Alarms()
        manager.on(Established)(self._established)
        manager.on(Ended)(self._ended)

    @property
    def failed(self) -> int:
        """How many calls have failed so far."""
        return self.reasons.total()

    def run(self, progress: CallProgress) -> None:
        """Place the calls and wait until each has ended. Raises ValueError for a target that can't be called."""
        begun, spent = self._clock(), time.process_time()
        with self._alarms:
            for number in range(self.calls):
                self._wait_for_turn(begun + number / self._rate, progress)
                self._place()
            patience = self._clock() + self._timeout + self._hold + _LAST_WORDS
            while not self._all_done.wait(_GLANCE) and self._clock() < patience:
                self._show(progress)
        with self._lock:
            self.seconds, self.processor_seconds = self._clock() - begun, time.process_time() - spent
            for attempt in self._attempts.values():
                if not attempt.outcome:
                    self._finish(attempt, "never ended")
        self._show(progress)

    def _wait_for_turn(self, due: float, progress: CallProgress) -> None:
        """Wait until a call is due and there is room for it."""
        while (early := due - self._clock()) > 0:
            self._show(progress)
            self._all_done.wait(min(early, _GLANCE))
        while not self._slots.acquire(timeout=_GLANCE):
            self._show(progress)

    def _show(self, progress: CallProgress) -> None:
        progress.show(self.done, self.placed - self.done, self.failed)

    def _place(self) -> None:
        before = self._clock()
        self.placed += 1
        call = self._manager.call(self._target, offer=self._offer)
        # Its handlers may have run already: whoever comes first makes the record.
        attempt = self._attempts.setdefault(call.key, Attempt())
        attempt.placed = before
        if not attempt.established and not attempt.outcome:
            self._alarms.after(self._timeout, lambda: self._give_up(call, attempt))

    def _give_up(self, call: Call, attempt: Attempt) -> None:
        if not attempt.established and not attempt.outcome:
            attempt.timed_out = True
            call.end()

    def _established(self, call: Call) -> None:
        attempt = self._attempts.setdefault(call.key, Attempt())
        attempt.established = self._clock()
        if self._hold:
            self._alarms.after(self._hold, call.end)
        else:
            call.end()

    def _ended(self, call: Call, ended: Ended) -> None:
        attempt = self._attempts.setdefault(call.key, Attempt())
        if attempt.timed_out:
            outcome = f"not answered within {self._timeout:g} s"
        elif attempt.established and ended.status == 200:
            outcome = "completed"
        else:
            outcome = f"{ended.status} {ended.why}"
        with self._lock:
            self._finish(attempt, outcome)
        self._slots.release()

    def _finish(self, attempt: Attempt, outcome: str) -> None:
        attempt.outcome = outcome
        self.done += 1
        if outcome != "completed":
            self.reasons[outcome] += 1
        if self.done == self.calls:
            self._all_done.set()

    def report(self) -> dict[str, Any]:
        """Return how the calls went."""
        completed = self.done - self.failed
        setup = [found.established - found.placed for found in self._attempts.values() if found.established]
        return {
            "calls": {"completed": completed, "failed": self.failed, "reasons": dict(self.reasons)},
            "seconds": round(self.seconds, 3),
            "calls_per_second": round(completed / self.seconds, 1) if self.seconds else 0.0,
            "processor_seconds": round(self.processor_seconds, 3),
            "setup_seconds": report.percentiles(setup),
        }


def place_calls(wanted: argparse.Namespace, target: str) -> dict[str, Any]:
    """Do what the options of `dum load` ask for and return the report."""
    listen = wanted.listen or arguments.listen_for(target)
    manager = arguments.open_manager(listen, wanted.workers)
    load = Load(
        manager,
        target,
        calls=wanted.calls,
        rate=wanted.rate,
        concurrent=wanted.concurrent,
        hold=wanted.hold,
        timeout=wanted.timeout,
    )
    with manager, CallProgress(wanted.calls, silent=wanted.json) as progress:
        load.run(progress)
        return {**load.report(), **report.surroundings(manager)}


def add_options(
    parser: argparse.ArgumentParser, *, calls: int, rate: float, hold: float, concurrent: int = 1000
) -> None:
    """Add the options that say what calls are placed, with these defaults."""
    parser.add_argument("--calls", type=arguments.count, default=calls, metavar="N", help="calls (%(default)s)")
    parser.add_argument(
        "--rate", type=arguments.rate, default=rate, metavar="R", help="new calls a second (%(default)s)"
    )
    parser.add_argument(
        "--concurrent",
        type=arguments.count,
        default=concurrent,
        metavar="C",
        help="calls at once; further ones wait (%(default)s)",
    )
    parser.add_argument(
        "--hold",
        type=arguments.seconds,
        default=hold,
        metavar="S",
        help="seconds from the answer to the BYE (%(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=arguments.seconds,
        default=60.0,
        metavar="S",
        help="seconds after which a call that is not answered has failed (%(default)s)",
    )


def add_to(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "load",
        help="place many calls at a steady rate",
        description="Places calls at a steady rate and says how they went; exit status 0 when every call completed.",
    )
    parser.add_argument("target", type=arguments.target, metavar="URI", help="whom to call, such as sip:127.0.0.1:5060")
    add_options(parser, calls=100, rate=10.0, hold=0.0)
    arguments.add_listen(parser, "any free UDP port")
    arguments.add_workers(parser)
    arguments.add_json(parser)
    parser.set_defaults(run=run)


def run(wanted: argparse.Namespace) -> int:
    """Run `dum load`."""
    found = place_calls(wanted, wanted.target)
    report.show({"caller": found}, as_json=wanted.json)
    return 0 if found["calls"]["completed"] == wanted.calls else 1

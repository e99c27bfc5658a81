"""An explorer of thread interleavings: runs a small scenario in every order in which its threads can act.

Each load and store of a shared field, each lock operation, each list or dict operation that threads share is a
*step*.  A controlled thread announces its next step and stands still; exactly one thread at a time is let go, makes
its step and runs on to its next.  The explorer runs the scenario again and again, depth first, until every order has
been seen.  Two orders that differ only in the sequence of steps which do not touch the same thing are one order (sleep
sets: Godefroid 1996), so "every order" is a finite number that can be reached, and nothing is left out.

The code under test is the shipped code: the steps are put into it from outside, by `tests.races.steps`.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any


class Abandoned(BaseException):
    """Unwinds a controlled thread whose run is over."""


class Found(AssertionError):
    """A scenario went wrong; the message holds the order of steps that led there."""


@dataclass(slots=True)
class Step:
    """What a thread is about to do: to which thing, whether it may change it, and when it can be done at all."""

    name: str
    thing: Hashable
    changes: bool
    ready: Callable[[], bool] | None = None

    def commutes(self, other: Step) -> bool:
        return self.thing != other.thing or not (self.changes or other.changes)


@dataclass(slots=True)
class Scenario:
    """Fresh records, what each thread does with them, and what must hold when all have ended."""

    bodies: list[Callable[[], Any]]
    check: Callable[[list[Any]], None] = lambda results: None


@dataclass(slots=True)
class Controlled:
    """One controlled thread of one run."""

    number: int
    body: Callable[[], Any]
    go: Any = field(default_factory=allocate_lock)
    pending: Step | None = None
    unwinding: bool = False
    result: Any = None
    failure: BaseException | None = None


@dataclass(slots=True)
class Choice:
    """A moment of a run: who could act, who has acted here in earlier runs, who need not (its orders are known)."""

    pending: dict[int, Step]
    enabled: list[int]
    asleep: dict[int, Step]
    chosen: int
    done: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Report:
    """How much was explored."""

    orders: int = 0
    cut: int = 0
    steps: int = 0
    longest: int = 0
    complete: bool = False


class Run:
    """One run of a scenario in one order."""

    def __init__(self, scenario: Scenario, path: list[Choice], most_steps: int) -> None:
        self.threads = [Controlled(number, body) for number, body in enumerate(scenario.bodies)]
        self.path = path
        self.most_steps = most_steps
        self.position = 0
        self.over = False
        self.cut = False
        self.failure: str | None = None
        self.ended = allocate_lock()
        self.ended.acquire()
        self.log: list[str] = []
        self.by_ident: dict[int, Controlled] = {}
        self._names: dict[int, tuple[int, Any]] = {}

    def name(self, thing: Any) -> int:
        """A number for a thing, the same in every run that has gone the same way so far."""
        return self._names.setdefault(id(thing), (len(self._names), thing))[0]

    def step(self, step: Step) -> None:
        """Announce a step, and return when it is this thread's turn to make it."""
        me = self.by_ident.get(get_ident())
        if me is None or me.unwinding:
            return
        me.pending = step
        self._hand_over(me)

    def _hand_over(self, me: Controlled | None) -> None:
        following = None if self.over else self._choose()
        if following is None:
            self._end()
        elif following is not me:
            following.go.release()
        if me is not None and me.pending is not None and following is not me:
            me.go.acquire()
        if self.over and me is not None and me.pending is not None:
            me.unwinding = True
            raise Abandoned

    def _end(self) -> None:
        if not self.over:
            self.over = True
            for thread in self.threads:
                if thread.pending is not None:
                    thread.go.release()
            self.ended.release()

    def _choose(self) -> Controlled | None:
        """Who acts next; None when the run is over."""
        pending = {thread.number: thread.pending for thread in self.threads if thread.pending is not None}
        enabled = [number for number, step in pending.items() if step.ready is None or step.ready()]
        if not enabled:
            if pending:
                self.failure = "nobody can go on: " + ", ".join(f"{n} at {s.name}" for n, s in pending.items())
            return None
        if self.position == len(self.path):
            choice = self._new_choice(pending, enabled)
            if choice is None:
                return None
            self.path.append(choice)
        choice = self.path[self.position]
        if choice.chosen not in enabled:
            self.failure = "the scenario does not repeat itself"
            return None
        self.position += 1
        self.log.append(f"{choice.chosen}:{pending[choice.chosen].name}")
        return self.threads[choice.chosen]

    def _new_choice(self, pending: dict[int, Step], enabled: list[int]) -> Choice | None:
        if self.position >= self.most_steps:
            self.failure = f"still not ended after {self.most_steps} steps"
            return None
        asleep: dict[int, Step] = {}
        if self.path:
            last = self.path[-1]
            acted = last.pending[last.chosen]
            before = dict(last.asleep)
            before.update((number, last.pending[number]) for number in last.done if number != last.chosen)
            asleep = {number: step for number, step in before.items() if step.commutes(acted)}
        awake = [number for number in enabled if number not in asleep]
        if not awake:
            self.cut = True
            return None
        previous = self.path[-1].chosen if self.path else awake[0]
        chosen = previous if previous in awake else awake[0]
        return Choice(pending, enabled, asleep, chosen, {chosen})

    def work(self, me: Controlled) -> None:
        """The body of a controlled thread."""
        self.by_ident[get_ident()] = me
        me.go.acquire()
        try:
            if not self.over:
                me.result = me.body()
        except Abandoned:
            pass
        except BaseException as failure:
            me.failure = failure
        me.pending = None
        del self.by_ident[get_ident()]
        if not self.over:
            self._hand_over(None)

    def execute(self) -> None:
        """Run all bodies to their end, one step at a time."""
        workers = [threading.Thread(target=self.work, args=(thread,), daemon=True) for thread in self.threads]
        for thread in self.threads:
            thread.go.acquire()
            thread.pending = Step("start", ("start", thread.number), False)
        for worker in workers:
            worker.start()
        self._hand_over(None)
        self.ended.acquire()
        for worker in workers:
            worker.join()


current: Run | None = None


def announce(name: str, thing: Any, changes: bool, ready: Callable[[], bool] | None = None, part: str = "") -> None:
    """Called by the instrumented code before each step; does nothing outside a run."""
    run = current
    if run is not None:
        run.step(Step(name, (run.name(thing), part), changes, ready))


def explore(make: Callable[[], Scenario], most_orders: int = 1_000_000, most_steps: int = 400) -> Report:
    """Run the scenario in every order, at most `most_orders` of them; raises Found when one goes wrong."""
    global current
    report = Report()
    path: list[Choice] = []
    while True:
        scenario = make()
        run = current = Run(scenario, path, most_steps)
        try:
            run.execute()
        finally:
            current = None
        _judge(run, scenario)
        report.cut += run.cut
        report.orders += not run.cut
        report.steps += run.position
        report.longest = max(report.longest, run.position)
        if not _advance(path):
            report.complete = True
            return report
        if report.orders + report.cut >= most_orders:
            return report


def _judge(run: Run, scenario: Scenario) -> None:
    order = " ".join(run.log)
    if run.failure:
        raise Found(f"{run.failure}\norder: {order}")
    if run.cut:
        return
    for thread in run.threads:
        if thread.failure is not None:
            raise Found(f"thread {thread.number} raised {thread.failure!r}\norder: {order}") from thread.failure
    try:
        scenario.check([thread.result for thread in run.threads])
    except AssertionError as wrong:
        raise Found(f"{wrong}\norder: {order}") from wrong


def _advance(path: list[Choice]) -> bool:
    """Turn the path to the next order not seen yet; False when there is none."""
    while path:
        last = path[-1]
        for number in last.enabled:
            if number not in last.done and number not in last.asleep:
                last.chosen = number
                last.done.add(number)
                return True
        path.pop()
    return False

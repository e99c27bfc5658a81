"""`dum serve`: answers calls until it is told to stop."""

import argparse
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any

from dum import Call, DialogUsageManager, Ended, Established, IncomingCall, Refused, Terminated
from dum.cli import arguments, report
from dum.cli.alarms import Alarms
from dum.cli.descriptions import Descriptions

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_WORDS = 5.0
_GLANCE = 0.1


class Answering:
    """Answers the calls of a manager that is not started yet: 180 (or 183) at once, the final response `ring` later.

    With `code` calls are rejected with that status instead of answered; with `bye` they are ended that many seconds
    after they stand. Nothing here blocks a handler: what is for later is an alarm.
    """

    def __init__(
        self,
        manager: DialogUsageManager,
        alarms: Alarms,
        *,
        ring: float = 0.0,
        early: bool = False,
        code: int | None = None,
        bye: float | None = None,
    ) -> None:
        self._alarms = alarms
        self._ring = ring
        self._provisional = 183 if early else 180
        self._code = code
        self._bye = bye
        self._descriptions = Descriptions(manager.addresses[0])
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        manager.on(IncomingCall)(self._incoming)
        manager.on(Established)(self._established)
        manager.on(Ended)(self._ended)

    def _incoming(self, call: Call, incoming: IncomingCall) -> None:
        with self._lock:
            self._counts["received"] += 1
        body = self._descriptions.answer_to(incoming.offer)
        try:
            if body is None:
                call.reject(488)
                return
            call.ring(self._provisional)
        except (Terminated, Refused):
            return
        if self._ring:
            self._alarms.after(self._ring, lambda: self._decide(call, body))
        else:
            self._decide(call, body)

    def _decide(self, call: Call, body: bytes) -> None:
        try:
            if self._code is None:
                call.answer(body)
            else:
                call.reject(self._code)
        except (Terminated, Refused):
            return  # The caller has hung up meanwhile.

    def _established(self, call: Call) -> None:
        call.data = True
        if self._bye is not None:
            self._alarms.after(self._bye, call.end)

    def _ended(self, call: Call, ended: Ended) -> None:
        with self._lock:
            if call.data and ended.status == 200:
                self._counts["completed"] += 1
            else:
                self._reasons[f"{ended.status} {ended.why}"] += 1

    def report(self, seconds: float, processor_seconds: float) -> dict[str, Any]:
        """Return how the calls of these `seconds` went, which took so much time of the processors."""
        with self._lock:
            completed, reasons = self._counts["completed"], dict(self._reasons)
            received = self._counts["received"]
        return {
            "calls": {
                "received": received,
                "completed": completed,
                "failed": sum(reasons.values()),
                "reasons": reasons,
            },
            "seconds": round(seconds, 3),
            "calls_per_second": round(completed / seconds, 1) if seconds else 0.0,
            "processor_seconds": round(processor_seconds, 3),
        }


def finish(manager: DialogUsageManager, seconds: float) -> bool:
    """Let calls go on for some seconds, then end them and stop; a signal meanwhile makes an end of it at once.

    True when every call ended properly. The signals must be blocked in every thread, or they don't arrive here.
    """
    ended: list[bool] = []
    stopping = threading.Thread(
        target=lambda: ended.append(manager.stop(_LAST_WORDS, finish=seconds)), name="dum stop", daemon=True
    )
    stopping.start()
    while stopping.is_alive():
        if signal.sigtimedwait(_SIGNALS, _GLANCE) is not None:
            return False
    return ended == [True]


def add_to(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "serve",
        help="answer calls and OPTIONS until SIGINT or SIGTERM",
        description="Answers calls and OPTIONS. SIGINT or SIGTERM: lets calls finish, ends them, shows statistics; "
        "a second one ends at once, with status 1.",
    )
    arguments.add_listen(parser, "udp:127.0.0.1:5060")
    arguments.add_workers(parser)
    parser.add_argument(
        "--ring", type=arguments.seconds, default=0.0, metavar="S", help="seconds before the answer (%(default)s)"
    )
    parser.add_argument("--early", action="store_true", help="ring with 183 and not with 180")
    parser.add_argument("--code", type=arguments.rejection, metavar="N", help="reject calls with this status")
    parser.add_argument("--bye", type=arguments.seconds, metavar="S", help="hang up this many seconds after the answer")
    parser.add_argument(
        "--finish",
        type=arguments.seconds,
        default=5.0,
        metavar="S",
        help="seconds that calls may go on after the signal to stop (%(default)s)",
    )
    arguments.add_json(parser)
    parser.set_defaults(run=run)


def run(wanted: argparse.Namespace) -> int:
    """Run `dum serve`."""
    manager = arguments.open_manager(wanted.listen or ["udp:127.0.0.1:5060"], wanted.workers)
    # Before the threads start, which inherit it: the signals then wait for sigwait, whoever they are delivered to.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        with Alarms() as alarms:
            answering = Answering(
                manager, alarms, ring=wanted.ring, early=wanted.early, code=wanted.code, bye=wanted.bye
            )
            manager.start()
            begun, spent = time.monotonic(), time.process_time()
            ready = ", ".join(str(address) for address in manager.addresses)
            print(f"listening on {ready}", file=sys.stderr if wanted.json else sys.stdout, flush=True)
            signal.sigwait(_SIGNALS)
            threads = report.surroundings(manager)["threads"]
            properly = finish(manager, wanted.finish)
            own = answering.report(time.monotonic() - begun, time.process_time() - spent)
            found = {**own, **report.surroundings(manager), "threads": threads}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    report.show({"server": found}, as_json=wanted.json)
    return 0 if properly else 1

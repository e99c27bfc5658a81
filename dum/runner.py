"""Carries out effects after commit: exactly once, and in commit order for everything that has one Call-ID.

A memory transaction ends by putting its effects into the outbox of its lane; the put happens while the records it
wrote are still locked, so two transactions that wrote the same dialog have their effects in the order of their
commits. A lane is drained by one thread at a time. A thread that finds the lane taken goes on with its own work: the
one that holds it looks again after letting go, so nothing is left behind and nobody waits.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dum.effects import Count, Effect, Send, StartTimer, StopTimer, Tell
from stm import Fifo, Transaction
from transport import Deadlines, TransportError
from transport.tally import Tally

logger = logging.getLogger(__name__)

# Lane numbers up to 256 are immortal small ints, which threads count without touching a shared cache line.
LANES = 256

type Timer = tuple[int, str, str, int]


def lane_of(call_id: str) -> int:
    """Return the lane of a Call-ID, 0 to 255: what shares one is carried out in one order."""
    return hash(call_id) & (LANES - 1)


class Outlet(Protocol):
    """Where bytes leave: the manager's reactor, or a wire on virtual time."""

    def send(self, destination: Any, data: bytes, lane: int, key: str) -> None:
        """Send `data` of the SIP transaction `key` ("" for none) to a Flow or a Hop.

        Raises TransportError when it is known at once that it can't arrive.
        """
        ...


class Runner:
    """Runs effects lane by lane. Thread-safe; `drain` never blocks on another thread.

    `deadlines` are the shards that timers go to, by lane; `woken(shard)` is called when a shard's earliest deadline has
    moved forward. `tell(owner, event)` hands an event to the application. `failed(lane, key)` takes a transport error.
    """

    __slots__ = ("_clock", "_deadlines", "_locks", "_outboxes", "_outlet", "failed", "tally", "tell", "woken")

    def __init__(
        self,
        outlet: Outlet,
        deadlines: Sequence[Deadlines[Timer]],
        clock: Callable[[], float],
        tell: Callable[[Any, Any, int], None],
        woken: Callable[[int], None],
    ) -> None:
        self._outlet = outlet
        self._deadlines = tuple(deadlines)
        self._clock = clock
        self.tell = tell
        self.woken = woken
        self.tally = Tally()
        self.failed: Callable[[int, str], None] = lambda lane, key: None
        self._outboxes: tuple[Fifo[list[Effect]], ...] = tuple(Fifo() for _ in range(LANES))
        self._locks = tuple(threading.Lock() for _ in range(LANES))

    def put(self, txn: Transaction, lane: int, effects: list[Effect]) -> None:
        """Have `effects` carried out when `txn` commits, in its place in the lane's order."""
        self._outboxes[lane].put(txn, effects)

    def drain(self, lane: int) -> None:
        """Carry out what waits in a lane, unless another thread is at it already."""
        outbox, lock = self._outboxes[lane], self._locks[lane]
        failures: list[str] = []
        while lock.acquire(blocking=False):
            try:
                for effects in outbox.take_nowait():
                    self._run(lane, effects, failures)
            finally:
                lock.release()
            if not len(outbox):
                break
        for key in failures:
            self.failed(lane, key)

    def _run(self, lane: int, effects: list[Effect], failures: list[str]) -> None:
        """Carry out the effects of one commit; one that fails does not keep the others from happening."""
        for effect in effects:
            kind = type(effect)
            try:
                if kind is Send:
                    self._send(lane, effect, failures)  # type: ignore[arg-type]
                elif kind is StartTimer:
                    self._start(lane, effect)  # type: ignore[arg-type]
                elif kind is StopTimer:
                    stopped: StopTimer = effect  # type: ignore[assignment]
                    self._deadlines[lane % len(self._deadlines)].discard((stopped.key, stopped.letter))
                elif kind is Count:
                    self.tally.add(effect.name)  # type: ignore[union-attr]
                elif kind is Tell:
                    told: Tell = effect  # type: ignore[assignment]
                    self.tell(told.owner, told.event, lane)
            except Exception:
                logger.exception("an effect could not be carried out: %r", effect)

    def _send(self, lane: int, effect: Send, failures: list[str]) -> None:
        try:
            self._outlet.send(effect.destination, effect.data, lane, effect.key)
        except TransportError as error:
            logger.debug("not sent to %r: %s", effect.destination, error)
            if effect.key:
                failures.append(effect.key)

    def _start(self, lane: int, effect: StartTimer) -> None:
        shard = lane % len(self._deadlines)
        key = (effect.key, effect.letter)
        timer = (lane, effect.key, effect.letter, effect.generation)
        if self._deadlines[shard].set(key, self._clock() + effect.delay, timer):
            self.woken(shard)


__all__ = ["LANES", "Outlet", "Runner", "Timer", "lane_of"]

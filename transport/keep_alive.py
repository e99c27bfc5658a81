"""Keeping flows alive, and noticing that one is dead (RFC 5626 sections 3.5 and 4.4).

On a connection: a ping (double CRLF, or a WebSocket ping) that has to be answered within ten seconds. On UDP: a STUN
Binding request, sent again as RFC 8489 section 6.2.1 says; a flow is dead as well when the peer suddenly sees another
address, because then the NAT in between has lost the binding.
"""

import os
import random
from collections.abc import Callable
from functools import partial
from typing import Final

from transport import stun
from transport.address import Flow
from transport.connection import Connection
from transport.errors import TransportError
from transport.loop import Loop

PONG_TIMEOUT: Final = 10.0
_FIRST_WAIT: Final = 0.5
_ATTEMPTS: Final = 7
_LAST_WAIT: Final = 16 * _FIRST_WAIT


class KeepAlives:
    """The keep-alives of one reactor; everything but `keep` and `stop` belongs to the thread that turns its loop."""

    def __init__(self, loop: Loop, *, fraction: Callable[[], float] = random.random) -> None:
        self._loop = loop
        self._fraction = fraction
        self._kept: dict[Flow, _Kept] = {}
        self._by_id: dict[bytes, _Kept] = {}

    def keep(self, flow: Flow, interval: float) -> None:
        """Keep a flow alive, with pauses drawn between 80 and 100 % of `interval` seconds (section 4.4.1)."""
        if interval <= 0:
            raise ValueError(f"interval={interval}: give the seconds between keep-alives")
        self._loop.post(partial(self._begin, flow, interval))

    def stop(self, flow: Flow) -> None:
        """Keep a flow alive no longer; nothing when it was not."""
        self._loop.post(partial(self._forget, flow))

    def answered(self, transaction_id: bytes, mapped: tuple[str, int]) -> None:
        """A STUN answer arrived."""
        kept = self._by_id.pop(transaction_id, None)
        if kept is None:
            self._loop.tally.add("dropped_stun_answers")
            return
        kept.transaction_id = b""
        if kept.mapped is not None and kept.mapped != mapped:
            self._dead(kept.flow, f"{kept.flow.remote} now sees us at another address: {mapped[0]} port {mapped[1]}")
            return
        kept.mapped = mapped
        self._pause(kept)

    def _begin(self, flow: Flow, interval: float) -> None:
        self._forget(flow)
        kept = self._kept[flow] = _Kept(flow, interval)
        self._pause(kept)

    def _forget(self, flow: Flow) -> None:
        kept = self._kept.pop(flow, None)
        if kept is not None:
            self._by_id.pop(kept.transaction_id, None)
            self._loop.deadlines.discard(("keep-alive", flow))

    def _pause(self, kept: "_Kept") -> None:
        self._later(kept, kept.interval * (0.8 + 0.2 * self._fraction()), partial(self._ping, kept))

    def _later(self, kept: "_Kept", seconds: float, function: Callable[[], None]) -> None:
        self._loop.deadlines.set(("keep-alive", kept.flow), self._loop.clock() + seconds, function)

    def _ping(self, kept: "_Kept") -> None:
        channel = kept.flow.channel
        self._loop.tally.add("keep_alives_out")
        if not isinstance(channel, Connection):
            kept.attempts, kept.transaction_id = 0, os.urandom(12)
            self._by_id[kept.transaction_id] = kept
            self._request(kept)
        elif channel.usable:
            channel.ping()
            self._later(kept, PONG_TIMEOUT, partial(self._check_pong, kept, channel))
        else:
            self._forget(kept.flow)

    def _check_pong(self, kept: "_Kept", channel: Connection) -> None:
        if not channel.usable:
            self._forget(kept.flow)
        elif channel.pings_unanswered:
            self._dead(kept.flow, f"{kept.flow.remote} did not answer a keep-alive within {PONG_TIMEOUT} s")
        else:
            self._later(
                kept, max(0.0, kept.interval * (0.8 + 0.2 * self._fraction()) - PONG_TIMEOUT), partial(self._ping, kept)
            )

    def _request(self, kept: "_Kept") -> None:
        if kept.attempts == _ATTEMPTS:
            self._dead(kept.flow, f"{kept.flow.remote} answered none of {_ATTEMPTS} STUN requests")
            return
        kept.attempts += 1
        kept.flow.channel.send(kept.flow, stun.binding_request(kept.transaction_id))
        wait = _LAST_WAIT if kept.attempts == _ATTEMPTS else _FIRST_WAIT * 2 ** (kept.attempts - 1)
        self._later(kept, wait, partial(self._request, kept))

    def _dead(self, flow: Flow, reason: str) -> None:
        self._forget(flow)
        error = TransportError("dead", reason)
        if isinstance(flow.channel, Connection):
            flow.channel.close(error)
        else:
            self._loop.fail(flow, error)


class _Kept:
    """One flow that is kept alive."""

    __slots__ = ("attempts", "flow", "interval", "mapped", "transaction_id")

    def __init__(self, flow: Flow, interval: float) -> None:
        self.flow: Final = flow
        self.interval: Final = interval
        self.attempts = 0
        self.transaction_id = b""
        self.mapped: tuple[str, int] | None = None

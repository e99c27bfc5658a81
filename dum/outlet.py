"""Where bytes leave: from a flow or hop to the reactor, and back from a flow's failure to the transactions on it."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from dum.effects import Hop
from transport import Address, Flow, Reactor, TransportError

_KEPT_FOR_A_FLOW = 64
_FLOWS_KEPT = 16384


class Outlet:
    """Sends for the runner through one reactor; thread-safe, never blocks.

    For each flow it remembers the last client transactions that sent on it, so that they hear at once when the network
    says that nobody is there (RFC 3261 17.1.4, 18.4) instead of waiting for timer B or F. Both the transactions of a
    flow and the flows are bounded: what is forgotten times out. `failed(lane, key)` takes each of them.
    """

    __slots__ = ("_lock", "_reactor", "_waiting", "failed")

    def __init__(self, reactor: Reactor, failed: Callable[[int, str], None]) -> None:
        self._reactor = reactor
        self.failed = failed
        self._waiting: dict[Flow, deque[tuple[int, str]]] = {}
        self._lock = threading.Lock()

    def send(self, destination: Any, data: bytes, lane: int, key: str) -> None:
        """Send to a flow, or to a hop whose flow is found here; raises TransportError when there is none."""
        flow = self._flow_to(destination) if isinstance(destination, Hop) else destination
        if key[:1] == "c":
            self._remember(flow, lane, key)
        self._reactor.send(flow, data)

    def flow_failed(self, flow: Flow) -> None:
        """Tell the client transactions that wait for an answer on a flow that it has failed."""
        with self._lock:
            waiting = self._waiting.pop(flow, ())
        for lane, key in waiting:
            self.failed(lane, key)

    def _remember(self, flow: Flow, lane: int, key: str) -> None:
        waiting = self._waiting.get(flow)
        if waiting is None:
            with self._lock:
                if len(self._waiting) >= _FLOWS_KEPT:
                    self._waiting.clear()
                waiting = self._waiting.setdefault(flow, deque(maxlen=_KEPT_FOR_A_FLOW))
        waiting.append((lane, key))

    def _flow_to(self, hop: Hop) -> Flow:
        asked: Flow | None = hop.flow
        if asked is not None and asked.reliable and asked.transport == hop.transport and _leads_to(asked, hop):
            return asked
        local = asked.local if asked is not None and asked.transport == hop.transport == "UDP" else None
        try:
            return self._reactor.flow_to(Address(hop.transport, hop.host, hop.port), local=local)
        except ValueError as error:
            raise TransportError("unreachable", str(error)) from error


def _leads_to(flow: Flow, hop: Hop) -> bool:
    """Tell whether a connection may carry what goes to a hop: the same host, or one that can't be connected to.

    A browser's Contact names a host under .invalid (RFC 7118 section 5), and a client's port is not one it listens on.
    """
    return hop.host.endswith(".invalid") or hop.host == flow.remote.host

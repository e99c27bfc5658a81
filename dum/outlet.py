"""Where bytes leave: from a flow or hop to the reactor, and back from a flow's failure to the transactions on it."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from dum.effects import Hop
from transport import Address, Flow, Reactor, TransportError
from transport.address import DEFAULT_PORTS
from transport.naming import Wanted, is_numeric
from transport.resolver import Resolver

_KEPT_FOR_A_FLOW = 64
_FLOWS_KEPT = 16384


type Letter = tuple[bytes, int, str]


class Outlet:
    """Sends for the runner through one reactor; thread-safe, never blocks.

    A hop that names a host waits for the resolver (RFC 3263), and what goes to the same hop meanwhile waits behind it,
    so that order is kept. For each flow the last client transactions that sent on it are remembered, so that they hear
    at once when the network says that nobody is there (RFC 3261 17.1.4, 18.4) instead of waiting for timer B or F. The
    transactions of a flow and the flows are bounded: what is forgotten times out. `failed(lane, key)` takes each.
    """

    __slots__ = ("_lock", "_reactor", "_resolver", "_resolving", "_waiting", "failed")

    def __init__(self, reactor: Reactor, resolver: Resolver, failed: Callable[[int, str], None]) -> None:
        self._reactor = reactor
        self._resolver = resolver
        self.failed = failed
        self._waiting: dict[Flow, deque[tuple[int, str]]] = {}
        self._resolving: dict[Wanted, list[Letter]] = {}
        self._lock = threading.Lock()

    def send(self, destination: Any, data: bytes, lane: int, key: str) -> None:
        """Send to a flow, or to a hop whose flow is found here; raises TransportError when there is none."""
        if isinstance(destination, Hop):
            flow = self._flow_to(destination)
            if flow is None:
                self._resolve(destination, (data, lane, key))
                return
        else:
            flow = destination
        self._send_on(flow, data, lane, key)

    def flow_failed(self, flow: Flow) -> None:
        """Tell the client transactions that wait for an answer on a flow that it has failed."""
        self._resolver.failed(flow.remote)
        with self._lock:
            waiting = self._waiting.pop(flow, ())
        for lane, key in waiting:
            self.failed(lane, key)

    def _send_on(self, flow: Flow, data: bytes, lane: int, key: str) -> None:
        if key[:1] == "c":
            self._remember(flow, lane, key)
        self._reactor.send(flow, data)

    def _remember(self, flow: Flow, lane: int, key: str) -> None:
        try:
            # Not by `get`: see stm/map.py.
            waiting = self._waiting[flow]
        except KeyError:
            with self._lock:
                if len(self._waiting) >= _FLOWS_KEPT:
                    self._waiting.clear()
                waiting = self._waiting.setdefault(flow, deque(maxlen=_KEPT_FOR_A_FLOW))
        waiting.append((lane, key))

    def _flow_to(self, hop: Hop) -> Flow | None:
        """Return the flow to a hop, or None when its host is a name that has to be found first."""
        asked: Flow | None = hop.flow
        if asked is not None and asked.reliable and asked.transport == hop.transport and _leads_to(asked, hop):
            return asked
        if not is_numeric(hop.host):
            return None
        local = asked.local if asked is not None and asked.transport == hop.transport == "UDP" else None
        address = Address(hop.transport, hop.host, hop.port or DEFAULT_PORTS[hop.transport])
        return self._reactor.flow_to(address, local=local, domain=hop.host)

    def _resolve(self, hop: Hop, letter: Letter) -> None:
        try:
            wanted = Wanted(hop.host, port=hop.port or None, transport=hop.transport)
        except ValueError as error:
            raise TransportError("unreachable", str(error)) from None
        with self._lock:
            waiting = self._resolving.get(wanted)
            if waiting is not None:
                waiting.append(letter)
                return
            self._resolving[wanted] = [letter]
        self._resolver.resolve(wanted, lambda found: self._found(wanted, found))

    def _found(self, wanted: Wanted, found: list[Address] | TransportError) -> None:
        """Send what waited for a name; what comes while this goes on is sent behind it."""
        flow = None
        if not isinstance(found, TransportError):
            with contextlib.suppress(TransportError):
                address = next((one for one in found if not one.is_ipv6), found[0])
                flow = self._reactor.flow_to(address, domain=wanted.host)
        while True:
            with self._lock:
                letters = self._resolving[wanted]
                if not letters:
                    del self._resolving[wanted]
                    return
                self._resolving[wanted] = []
            for data, lane, key in letters:
                if flow is not None:
                    self._send_on(flow, data, lane, key)
                elif key:
                    self.failed(lane, key)


def _leads_to(flow: Flow, hop: Hop) -> bool:
    """Tell whether a connection may carry what goes to a hop: the same host, or one that can't be connected to.

    A browser's Contact names a host under .invalid (RFC 7118 section 5), and a client's port is not one it listens on.
    """
    return hop.host.endswith(".invalid") or hop.host == flow.remote.host

"""DialogUsageManager: the public face, which puts stack, runner, workers and reactor together."""

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from dum.call import Call, Fields
from dum.errors import Refused, Terminated
from dum.events import Event, Offered
from dum.ids import Ids
from dum.inline import Inline
from dum.message import peek_call_id
from dum.outlet import Outlet
from dum.profile import Local, Profile
from dum.runner import Runner, Timer
from dum.stack import Stack
from dum.usage.session import Agent, Command
from dum.workers import Workers
from transport import Address, Deadlines, Flow, Reactor, TlsSettings, TransportError, local_host_for
from transport.resolver import Resolver

logger = logging.getLogger(__name__)

_EXTERNAL = {False: "192.0.2.1", True: "2001:db8::1"}


class DialogUsageManager:
    """Answers and places SIP calls on the addresses it listens on.

    `listen` are texts such as "udp:127.0.0.1:5060" or "udp:[::1]:0" (port 0 takes a free one). `workers` is the number
    of threads that SIP and handlers run on; with 0 they run on the reactor's own thread. `profile` says what it
    supports, `advertise` maps a listening address to the host that peers reach it by, where that differs. `tls` is
    what tls: and wss: addresses need, `resolver` replaces the one that asks the system's name servers. Handlers are
    registered with `on` before `start`; every method may be called from any thread. Raises ValueError for an address
    that can't be read, OSError when one can't be listened on.
    """

    def __init__(
        self,
        listen: Iterable[str] = ("udp:127.0.0.1:0",),
        *,
        workers: int = 2,
        profile: Profile | None = None,
        ids: Ids | None = None,
        advertise: dict[str, str] | None = None,
        tls: TlsSettings | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        if workers < 0:
            raise ValueError(f"workers must be 0 (everything on the reactor's thread) or more, not {workers}")
        self.profile = profile or Profile()
        self._handlers: dict[type, list[Callable[..., Any]]] = {}
        self._takes_event: dict[Callable[..., Any], bool] = {}
        self._reactor = Reactor(
            self._received, self._flow_failed, each_turn=None if workers else self._turn, tls=tls, name="dum reactor"
        )
        try:
            self.addresses = tuple(self._reactor.listen(Address.parse(text)) for text in listen)
        except BaseException:
            self._reactor.stop()
            raise
        deadlines: tuple[Deadlines[Timer], ...] = tuple(Deadlines() for _ in range(workers or 1))
        self._resolver = resolver or Resolver()
        self._outlet = Outlet(self._reactor, self._resolver, self._transport_error)
        runner = Runner(self._outlet, deadlines, time.monotonic, self._tell, lambda shard: self._workers.woken(shard))
        agent = Agent(self.profile, _local(self.addresses, advertise or {}))
        self._stack = Stack(agent, ids or Ids(), runner, lambda key: Call(self, key))
        self._inline = None if workers else Inline(self._stack, deadlines[0], self._reactor.wake)
        self._workers: Workers | Inline = self._inline or Workers(self._stack, deadlines)
        self._started = False
        self._stopped = threading.Event()

    # Life.

    def start(self) -> None:
        """Begin to receive. Raises RuntimeError when that was done before."""
        if self._started:
            raise RuntimeError("this manager was started before: make a new one")
        self._started = True
        self._workers.start()
        self._reactor.start()

    def stop(self, timeout: float = 5.0, *, finish: float = 0.0) -> bool:
        """Shut down in order; False when `timeout` seconds were too few for every call to end properly.

        New calls are refused with 503 from here on. Calls that run may go on for `finish` seconds, then they are ended,
        and their last messages are waited for. Nothing happens when it has stopped before.
        """
        if self._stopped.is_set():
            return True
        stack = self._stack
        stack.accepting = False
        self._wait_for_calls(finish)
        for key, usage in stack.usages.snapshot():
            try:
                stack.command(key, Command("END", 480))
            except (Terminated, Refused):
                logger.debug("%r had ended already", usage.owner)
        ended = self._wait_for_calls(timeout)
        self._stopped.set()
        if self._started:
            ended = self._workers.stop(timeout) and ended
        self._resolver.close(timeout)
        return self._reactor.stop(timeout) and ended

    def _wait_for_calls(self, timeout: float) -> bool:
        """Wait until no call is left, `timeout` seconds at most."""
        ends = time.monotonic() + timeout
        while self._stack.usages.size():
            if time.monotonic() >= ends:
                return False
            self._stopped.wait(0.01)
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What an application does.

    def on[F: Callable[..., Any]](self, kind: type[Event]) -> Callable[[F], F]:
        """Register a handler for events of type `kind`, as a decorator.

        The handler is called with the handle, and with the event as well when it takes two arguments. Handlers run on
        workers, in order and one at a time for each call; one that raises is logged and hurts nothing else. Raises
        TypeError for a `kind` that is no event.
        """
        if not (isinstance(kind, type) and issubclass(kind, Event)):
            raise TypeError(f"handlers are registered for an event type such as IncomingCall, not for {kind!r}")

        def register(handler: F) -> F:
            positional = [
                parameter
                for parameter in inspect.signature(handler).parameters.values()
                if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            ]
            self._takes_event[handler] = len(positional) >= 2
            self._handlers.setdefault(kind, []).append(handler)
            self._stack.agent.answers_offers = not self.has_handler(Offered)
            return handler

        return register

    def call(self, target: str, *, offer: bytes = b"", fields: Fields = ()) -> Call:
        """Place a call to a SIP URI and return its handle at once.

        `offer` is our session description; without one the peer's 2xx brings its own. Raises ValueError for a target
        that no request can be sent to, RuntimeError before `start` and from `stop` on.
        """
        if not self._started:
            raise RuntimeError("start the manager before placing calls: use it in a with statement")
        if not self._stack.accepting:
            raise RuntimeError("this manager has been stopped: make a new one to place calls")
        command = Command("CALL", 0, None, offer, tuple(fields))
        handle: Call = self._stack.place(target, command, lambda key: Call(self, key))
        return handle

    def statistics(self) -> dict[str, int]:
        """Return counts and sizes as plain ints: records held, what was dropped and why, datagrams in and out."""
        stack = self._stack
        return {
            "retransmissions": 0,
            **self._reactor.statistics(),
            **stack.tally.total(),
            "calls": stack.usages.size(),
            "client_transactions": stack.client_transactions.size(),
            "server_transactions": stack.server_transactions.size(),
            "threads": self._workers.thread_count() + 1,
        }

    # For handles and layers below.

    def command(self, key: str, command: Command) -> None:
        """Do what the application asks of the usage `key`; raises Terminated or Refused."""
        self._stack.command(key, command)

    def has_handler(self, kind: type) -> bool:
        """Tell whether a handler is registered for events of this type."""
        return kind in self._handlers

    def handle_event(self, call: Call, event: Event) -> None:
        """Run the handlers registered for an event, each on its own: one that raises does not stop the next."""
        if not self.has_handler(type(event)):
            return
        for handler in self._handlers[type(event)]:
            try:
                if self._takes_event[handler]:
                    handler(call, event)
                else:
                    handler(call)
            except BaseException:  # sys.exit() as well: the handlers that come after it are still to run
                self._stack.tally.add("handler_errors")
                logger.exception("a handler for %s of %r raised", type(event).__name__, call)

    def _tell(self, owner: Call, event: Event, lane: int) -> None:
        owner.deliver(event, lambda run: self._workers.schedule(lane, run))

    def _turn(self) -> float | None:
        return self._inline.turn() if self._inline is not None else None

    def _received(self, batch: Sequence[tuple[bytes, Flow]]) -> None:
        self._workers.received(batch, peek_call_id)

    def _flow_failed(self, flow: Flow, error: TransportError) -> None:
        logger.debug("%r: %s", flow, error)
        self._stack.tally.add("flow_failures")
        self._outlet.flow_failed(flow)

    def _transport_error(self, lane: int, key: str) -> None:
        self._workers.schedule(lane, lambda: self._stack.transport_error(lane, key))


def _local(addresses: Sequence[Address], advertise: dict[str, str]) -> Local:
    """Return what Via and Contact say of these addresses; the first of each transport and family is the one named."""
    places: dict[str, str] = {}
    for address in addresses:
        host = advertise.get(str(address), address.host)
        if address.is_wildcard and host == address.host:
            try:
                host = local_host_for(_EXTERNAL[address.is_ipv6])
            except OSError:
                host = "::1" if address.is_ipv6 else "127.0.0.1"
        place = address.transport + ("6" if address.is_ipv6 else "")
        places.setdefault(place, f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}")
    return Local(places)

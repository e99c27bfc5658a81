"""The handle of a call: what an application holds, acts on and waits for."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dum.errors import Terminated
from dum.events import AnswerWanted, Ended, Established, Event, IncomingCall, Offered
from dum.usage.session import Command

type Fields = Sequence[tuple[str, str]]

# Striped, because a lock in every handle would be an object a million times; held for a few instructions only.
_STRIPES = tuple(threading.Lock() for _ in range(64))


class Commander(Protocol):
    """What a handle needs of its manager."""

    def command(self, key: str, command: Command) -> None:
        """Do what the application asks of the usage `key`."""
        ...

    def handle_event(self, call: "Call", event: Event) -> None:
        """Run the application's handlers for an event."""
        ...

    def has_handler(self, kind: type) -> bool:
        """Tell whether the application wants events of this type."""
        ...


class Call:
    """One call, from either side. Light, comparable, valid from any thread and after the end.

    Commands return at once: what they cause on the wire happens in order, after they have taken effect. A command
    raises `Terminated` when the call has ended and `Refused` when its state does not allow it; ending twice is no
    mistake. `remote_body` is the peer's last session description, `data` is for the application.
    """

    __slots__ = (
        "__weakref__",
        "_end",
        "_established",
        "_events",
        "_manager",
        "_scheduled",
        "_waiters",
        "data",
        "key",
        "remote_body",
    )

    def __init__(self, manager: Commander, key: str) -> None:
        self._manager = manager
        self.key = key
        self.data: Any = None
        self.remote_body = b""
        self._events: deque[Event] | None = None
        self._scheduled = False
        self._waiters: tuple[threading.Event, ...] = ()
        self._established = False
        # What the event says, not the event: that one holds this handle, and the two would be a cycle.
        self._end: tuple[int, bool, str] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        state = "ended" if self._end else "established" if self._established else "early"
        return f"<Call {self.key.partition(' ')[2]} {state}>"

    @property
    def call_id(self) -> str:
        """The Call-ID of the dialog."""
        return self.key.partition(" ")[2]

    @property
    def offer(self) -> bytes:
        """The peer's last session description: of its INVITE, re-INVITE or answer; b"" when there was none."""
        return self.remote_body

    @property
    def is_established(self) -> bool:
        """Whether the call stands now."""
        return self._established and self._end is None

    @property
    def ended(self) -> Ended | None:
        """How the call ended, or None while it lasts."""
        return None if self._end is None else Ended(self, *self._end)

    # Commands: RFC 3261 sections 13 to 15.

    def ring(self, status: int = 180, body: bytes = b"", fields: Fields = ()) -> None:
        """Send a provisional response, 101 to 199, with the local tag; ValueError for another status."""
        if not 101 <= status <= 199:
            raise ValueError(f"a provisional response that rings has a status from 101 to 199, not {status}")
        self._manager.command(self.key, Command("RING", status, None, body, tuple(fields)))

    def answer(self, body: bytes = b"", fields: Fields = ()) -> None:
        """Accept the call, a re-INVITE, or the offer of a 2xx, with our session description `body`."""
        self._manager.command(self.key, Command("ANSWER", 200, None, body, tuple(fields)))

    def reject(self, status: int = 486, reason: str | None = None, fields: Fields = ()) -> None:
        """Refuse the call or the re-INVITE with a final status, 300 to 699; ValueError for another one."""
        if not 300 <= status <= 699:
            raise ValueError(f"a call is rejected with a status from 300 to 699, not {status}")
        self._manager.command(self.key, Command("REJECT", status, reason, b"", tuple(fields)))

    def end(self, fields: Fields = ()) -> None:
        """End the call: CANCEL, a final response, or BYE, as its state asks for; nothing when it has ended already."""
        try:
            self._manager.command(self.key, Command("END", 480, None, b"", tuple(fields)))
        except Terminated:
            return

    # Waiting. Not from a handler of the same call: its events wait for that handler to return.

    def wait_established(self, timeout: float | None = None) -> None:
        """Block until the call stands; raises Terminated when it ends first, TimeoutError after `timeout` seconds."""
        self._wait(lambda: self._established or self._end is not None, timeout, "established")
        if self._end is not None:
            status, _, why = self._end
            raise Terminated(f"the call ended with {status} ({why})")

    def wait_ended(self, timeout: float | None = None) -> Ended:
        """Block until the call has ended and return how; raises TimeoutError after `timeout` seconds."""
        self._wait(lambda: self._end is not None, timeout, "ended")
        assert self._end is not None
        return Ended(self, *self._end)

    def _wait(self, reached: Callable[[], bool], timeout: float | None, what: str) -> None:
        if reached():
            return
        ends = None if timeout is None else time.monotonic() + timeout
        changed = threading.Event()
        lock = _STRIPES[hash(self.key) & 63]
        with lock:
            self._waiters = (*self._waiters, changed)
        try:
            while not reached():
                if not changed.wait(None if ends is None else max(0.0, ends - time.monotonic())):
                    raise TimeoutError(f"the call was not {what} within {timeout} seconds")
                changed.clear()
        finally:
            with lock:
                self._waiters = tuple(waiter for waiter in self._waiters if waiter is not changed)

    # From the runner, and on a worker.

    def deliver(self, event: Event, schedule: Callable[[Callable[[], None]], None]) -> None:
        """Note an event and have its handlers run in their turn; called in commit order, by one thread at a time."""
        match event:
            case IncomingCall(offer=body) | Offered(offer=body) | AnswerWanted(offer=body):
                self.remote_body = body
            case Established(body=body):
                self._established = True
                self.remote_body = body or self.remote_body
            case Ended(status=status, by_peer=by_peer, why=why):
                self._end = (status, by_peer, why)
        if self._waiters:
            for waiter in self._waiters:
                waiter.set()
        if not self._manager.has_handler(type(event)):
            return
        with _STRIPES[hash(self.key) & 63]:
            if self._events is None:
                self._events = deque()
            self._events.append(event)
            first, self._scheduled = not self._scheduled, True
        if first:
            schedule(self.run_handlers)

    def run_handlers(self) -> None:
        """Run the handlers of what has happened so far, in order; one thread at a time, by `_scheduled`."""
        lock = _STRIPES[hash(self.key) & 63]
        while True:
            with lock:
                if not self._events:
                    self._events = None
                    self._scheduled = False
                    return
                event = self._events.popleft()
            self._manager.handle_event(self, event)

"""What a step of a SIP machine asks the world to do: plain values, carried out after commit by the runner.

A machine appends effects to a list and touches nothing else. A memory transaction that loses a race throws its list
away with the attempt; one that commits puts it in the outbox of its Call-ID, whose order is the commit order.

Every class here is a slotted record, immutable by convention, made positionally (a frozen dataclass costs three to
five times as much to make, and one is made for every message sent).
"""

from typing import Any


class Send:
    """Send `data` (bytes of one whole SIP message) to `destination`.

    `destination` is opaque here: the Flow a request came by, or where the manager resolved a next hop to.
    `key` names the SIP transaction that wants to hear of a transport error, or is "" when nobody does.
    """

    __slots__ = ("data", "destination", "key")

    def __init__(self, destination: Any, data: bytes, key: str = "") -> None:
        self.destination = destination
        self.data = data
        self.key = key

    def __repr__(self) -> str:
        return f"Send({self.data.partition(b'\r\n')[0]!r}, key={self.key!r})"


class StartTimer:
    """Fire timer `letter` of the machine `key` after `delay` seconds, replacing one of that name.

    `generation` comes back with the event, so that a timer that fired while it was being replaced is recognised.
    """

    __slots__ = ("delay", "generation", "key", "letter")

    def __init__(self, key: str, letter: str, delay: float, generation: int = 0) -> None:
        self.key = key
        self.letter = letter
        self.delay = delay
        self.generation = generation

    def __repr__(self) -> str:
        return f"StartTimer({self.letter} {self.delay:g}s #{self.generation}, key={self.key!r})"


class StopTimer:
    """Forget timer `letter` of the machine `key`; nothing happens when it is not running."""

    __slots__ = ("key", "letter")

    def __init__(self, key: str, letter: str) -> None:
        self.key = key
        self.letter = letter

    def __repr__(self) -> str:
        return f"StopTimer({self.letter}, key={self.key!r})"


class ToUser:
    """Pass `message` up from a SIP transaction to its transaction user, within the same memory transaction.

    `event` says which arc brought it: "RESPONSE", "REQUEST", "ACK", "TIMEOUT" (RFC 3261 8.1.3.1: treat as 408) or
    "TRANSPORT_ERROR" (treat as 503); `message` is None for the last two. This one never reaches the runner.
    """

    __slots__ = ("event", "message")

    def __init__(self, event: str, message: Any = None) -> None:
        self.event = event
        self.message = message

    def __repr__(self) -> str:
        return f"ToUser({self.event})"


class Hop:
    """Where a request goes next: transport and host, and a flow to prefer while it lives.

    `port` is 0 when the URI has none: then RFC 3263 says which, by SRV for a name and by default for an address.
    `flow` is the Flow that the peer's own request came by, or None. `reliable` is False for UDP alone.
    """

    __slots__ = ("flow", "host", "port", "transport")

    def __init__(self, transport: str, host: str, port: int, flow: Any = None) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.flow = flow

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself, so that the SIP transaction need not."""
        return self.transport != "UDP"

    @property
    def place(self) -> str:
        """The transport and address family that the request leaves by, as profile.Local names them."""
        return self.transport + "6" if ":" in self.host else self.transport

    def __repr__(self) -> str:
        return f"Hop({self.transport} {self.host}:{self.port})"


class ToClient:
    """Pass a new request down to a client transaction of its own, within the same memory transaction.

    `data` is the encoded request, whose top Via carries `branch`. `heard` is False when nobody wants to know how it
    went. This one never reaches the runner.
    """

    __slots__ = ("branch", "data", "destination", "heard", "method")

    def __init__(self, method: str, branch: str, data: bytes, destination: Hop, heard: bool = True) -> None:
        self.method = method
        self.branch = branch
        self.data = data
        self.destination = destination
        self.heard = heard

    def __repr__(self) -> str:
        return f"ToClient({self.method} {self.branch})"


class ToServer:
    """Pass a response down to the server transaction `key`, within the same memory transaction.

    This one never reaches the runner.
    """

    __slots__ = ("data", "key", "status")

    def __init__(self, key: str, status: int, data: bytes) -> None:
        self.key = key
        self.status = status
        self.data = data

    def __repr__(self) -> str:
        return f"ToServer({self.status}, key={self.key!r})"


class Forget:
    """Destroy the client transaction `key`, whose answer is not waited for any more (RFC 3261 9.1).

    This one never reaches the runner.
    """

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"Forget({self.key!r})"


class Tell:
    """Tell the application: put `event` into the queue of the handle `owner`, whose handlers run in order."""

    __slots__ = ("event", "owner")

    def __init__(self, owner: Any, event: Any) -> None:
        self.owner = owner
        self.event = event

    def __repr__(self) -> str:
        return f"Tell({self.event!r})"


class Count:
    """Count one thing that happened under `name`, once the memory transaction has committed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Count({self.name})"


type Effect = Send | StartTimer | StopTimer | ToUser | ToClient | ToServer | Forget | Tell | Count

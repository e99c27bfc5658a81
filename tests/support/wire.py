"""Stacks joined on virtual time: no sockets, no sleeping, a clock that jumps to the next thing that happens.

What becomes of a message (lost, doubled, late) is decided by a hash of the seed, the path, its bytes and how often
these bytes have taken this path; identifiers are drawn from a hash of what they are drawn for. Nothing depends on the
order in which threads ran, so a call has the same fate whether one thread works or eight.

At each instant all that is due is worked off in rounds. A round holds at most one thing for each call on each side,
and all copies of it, so its outcome is the same in every order and eight threads may do it at once. A wire that is
`unruly` puts all of an instant into one round instead: then only what holds for every order may be asserted.
"""

import heapq
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from typing import Any

from dum.effects import Hop
from dum.ids import MAGIC_COOKIE, Fresh, Ids
from dum.profile import Local, Profile
from dum.runner import LANES, Runner, Timer, lane_of
from dum.stack import Stack
from dum.usage.session import Agent, Command
from tests.support.hands import Hands
from transport import Deadlines, TransportError

TICK = 0.05
PORT = 5060
NEVER = 1 << 60


def ticks(seconds: float) -> int:
    """How many ticks of the wire's clock a time is."""
    return round(seconds / TICK)


class Weather:
    """How a path treats messages: chances from 0 to 1, and how many ticks a late one may need."""

    def __init__(
        self, loss: float = 0.0, duplication: float = 0.0, lateness: float = 0.0, latest: int = ticks(1.0)
    ) -> None:
        self.loss = loss
        self.duplication = duplication
        self.lateness = lateness
        self.latest = latest

    def delays(self, digest: bytes) -> list[int]:
        """After how many ticks each copy of a message arrives; none when it is lost. Half the doubles come together."""
        chance = random.Random(digest)
        copies = []
        if chance.random() >= self.loss:
            late = chance.random() < self.lateness
            copies.append(chance.randint(2, self.latest) if late else 1)
            if chance.random() < self.duplication:
                copies.append(copies[0] if chance.random() < 0.5 else chance.randint(1, self.latest))
        return copies


FAIR = Weather()
ROUGH = Weather(loss=0.1, duplication=0.1, lateness=0.1)


class Place:
    """A host and a port, as flows name their ends."""

    def __init__(self, host: str, port: int = PORT) -> None:
        self.host = host
        self.port = port


class WireFlow:
    """What a stack sees of the path that a message came by."""

    transport = "UDP"
    reliable = False

    def __init__(self, local: Place, remote: Place) -> None:
        self.local = local
        self.remote = remote

    def __repr__(self) -> str:
        return f"<WireFlow {self.local.host} to {self.remote.host}:{self.remote.port}>"


class Happening:
    """One thing that is due on one side: `label` names it wholly, and is what identifiers are drawn for."""

    __slots__ = ("group", "label", "run", "side", "when")

    def __init__(self, when: int, side: str, group: int, label: bytes, run: Callable[[], None]) -> None:
        self.when = when
        self.side = side
        self.group = group
        self.label = label
        self.run = run

    def __lt__(self, other: "Happening") -> bool:
        return self.when < other.when


class CausedIds(Ids):
    """Identifiers that are a hash of what happens in the calling thread, so that a copy of it draws the same."""

    __slots__ = ("_cause",)

    def __init__(self, cause: threading.local) -> None:
        super().__init__()
        self._cause = cause

    def _digits(self, size: int) -> str:
        self._cause.drawn += 1
        return blake2b(self._cause.label + b"|%d" % self._cause.drawn, digest_size=size).hexdigest()

    def fresh(self) -> Fresh:
        """Identifiers for the happening of the calling thread."""
        digits = self._digits(16)
        return Fresh(digits[:16], MAGIC_COOKIE + digits[16:], int(digits[:4], 16))

    def call_id(self) -> str:
        """A Call-ID for the happening of the calling thread."""
        return self._digits(16)


class Side:
    """One stack on the wire, and the outlet it sends by.

    `sent` holds all that left it, by Call-ID lane and in the order it left; `told` is called with every event for its
    application. `transport_down` hosts refuse every datagram, as the operating system does when nobody listens.
    """

    def __init__(self, wire: "Wire", host: str, profile: Profile) -> None:
        self.wire = wire
        self.host = host
        self.deadlines = tuple(Deadlines[Timer](wire.clock) for _ in range(4))
        self.sent: dict[int, list[tuple[int, bytes]]] = {lane: [] for lane in range(LANES)}
        self.told: Callable[[Any, Any], None] = lambda owner, event: None
        self.make_owner: Callable[[str], Any] = lambda key: key
        self.transport_down: set[str] = set()
        runner = Runner(self, self.deadlines, wire.clock, self._tell, lambda shard: None)
        agent = Agent(profile, Local({"UDP": f"{host}:{PORT}"}))
        self.stack = Stack(agent, CausedIds(wire.cause), runner, lambda key: self.make_owner(key))
        self.flows: dict[str, WireFlow] = {}

    def flow(self, host: str, port: int = PORT) -> WireFlow:
        """The flow by which messages from `host` come."""
        return self.flows.setdefault(f"{host}:{port}", WireFlow(Place(self.host), Place(host, port)))

    def send(self, destination: Any, data: bytes, lane: int = 0, key: str = "") -> None:
        """Take a message from the runner; called in commit order for each Call-ID."""
        remote = destination if isinstance(destination, Hop) else destination.remote
        if remote.host in self.transport_down:
            raise TransportError("refused", "nobody listens there")
        self.sent[lane_of(call_id_of(data))].append((self.wire.now, data))
        self.wire.carry(self, remote.host, data)

    def at(self, delay: int, call_id: str, label: str, run: Callable[[], None]) -> None:
        """Have `run` called on this side after `delay` ticks, by any thread that works on the wire."""
        self.wire.add(self.wire.now + delay, self.host, lane_of(call_id), f"application {call_id} {label}", run)

    def place(self, delay: int, target: str, number: int, command: Command | None = None) -> None:
        """Have a call placed to `target` after `delay` ticks."""
        label = f"place {number} {target}"

        def run() -> None:
            self.stack.place(target, command or Command("CALL"), self.make_owner)

        self.wire.add(self.wire.now + delay, self.host, -1 - number, label, run)

    def caused(self, label: str, run: Callable[[], None]) -> Callable[[], None]:
        """Return `run` as something that happens on this side now, in whatever thread."""
        return self.wire.happening(self.wire.now, self.host, 0, label, run).run

    def command(self, key: str, name: str, status: int = 0, body: bytes = b"") -> None:
        """Do what an application asks of a call, now; raises what the stack raises."""
        self.stack.command(key, Command(name, status, None, body))

    def leftovers(self) -> dict[str, int]:
        """What is still held, empty when all is done; drains every lane once more, which must bring out nothing."""
        before = sum(len(sent) for sent in self.sent.values())
        for lane in range(LANES):
            self.stack.runner.drain(lane)
        stack = self.stack
        found = {
            "client transactions": max(stack.client_transactions.size(), len(stack.client_transactions.snapshot())),
            "server transactions": max(stack.server_transactions.size(), len(stack.server_transactions.snapshot())),
            "usages": max(stack.usages.size(), len(stack.usages.snapshot())),
            "merged": max(stack.merged.size(), len(stack.merged.snapshot())),
            "timers": sum(len(shard) for shard in self.deadlines),
            "in outboxes": sum(len(sent) for sent in self.sent.values()) - before,
            "bugs": stack.tally.total().get("bugs", 0),
        }
        return {name: number for name, number in found.items() if number}

    def _tell(self, owner: Any, event: Any, lane: int) -> None:
        self.told(owner, event)

    def due(self) -> Iterator[Happening]:
        """The timers that are due now, taken out of their shards."""
        for shard in self.deadlines:
            while taken := shard.due(self.wire.clock() + TICK / 2):
                for _, timer in taken:
                    fire = partial(self.stack.fire, timer)
                    label = "timer {1} {2} {3}".format(*timer)
                    yield self.wire.happening(self.wire.now, self.host, timer[0], label, fire)


class Wire:
    """Joins sides and lets virtual time pass. `threads` work on each round; 0 means the calling thread alone."""

    def __init__(self, seed: int = 0, weather: Weather = FAIR, *, threads: int = 0, unruly: bool = False) -> None:
        self.seed = seed
        self.weather = weather
        self.unruly = unruly
        self.now = 0
        self.cause = threading.local()
        self.sides: dict[str, Side] = {}
        self._lock = threading.Lock()
        self._waiting: list[Happening] = []
        self._times_sent: dict[tuple[str, str, bytes], int] = {}
        self._deal = random.Random(seed)
        self._hands = Hands(threads) if threads else None

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        if self._hands:
            self._hands.close()

    def clock(self) -> float:
        """The virtual time in seconds."""
        return self.now * TICK

    def join(self, host: str, profile: Profile | None = None) -> Side:
        """Add a stack with this IPv4 address."""
        side = self.sides[host] = Side(self, host, profile or Profile())
        return side

    def carry(self, side: Side, host: str, data: bytes) -> None:
        """Have a message arrive, or not; one for a host that nobody has is lost."""
        path = (side.host, host, data)
        # One call's messages leave one at a time, so nobody else touches this entry now.
        repetition = self._times_sent[path] = self._times_sent.get(path, 0) + 1
        digest = blake2b(f"{self.seed} {side.host} {host} {repetition} ".encode() + data, digest_size=16).digest()
        there = self.sides.get(host)
        if there is not None:
            for delay in self.weather.delays(digest):
                self.deliver(delay, there, data, side.host)

    def deliver(self, delay: int, there: Side, data: bytes, host: str, port: int = PORT) -> None:
        """Have a message arrive at a side after `delay` ticks, come whence it may."""
        flow = there.flow(host, port)
        lane = lane_of(call_id_of(data))
        self.add(self.now + delay, there.host, lane, b"message " + data, lambda: there.stack.receive(data, flow))

    def add(self, when: int, side: str, group: int, label: str | bytes, run: Callable[[], None]) -> None:
        """Have something happen; from any thread."""
        happening = self.happening(when, side, group, label, run)
        with self._lock:
            heapq.heappush(self._waiting, happening)

    def happening(self, when: int, side: str, group: int, label: str | bytes, run: Callable[[], None]) -> Happening:
        """Something that happens on a side; while it runs, identifiers are drawn for it."""
        name = (label if isinstance(label, bytes) else label.encode("utf-8", "surrogateescape")) + side.encode()

        def caused() -> None:
            self.cause.label, self.cause.drawn = name, 0
            run()

        return Happening(when, side, group, name, caused)

    def take(self, side: Side) -> Callable[[], None]:
        """Take the next message for a side off the wire: what is returned has it arrive."""
        with self._lock:
            coming = min(one for one in self._waiting if one.side == side.host and one.label.startswith(b"message "))
            self._waiting.remove(coming)
            heapq.heapify(self._waiting)
        return coming.run

    def run(self, until: int = NEVER) -> int:
        """Let time pass until nothing is left to happen, or to the tick `until`; return how many rounds there were."""
        rounds = 0
        while (instant := self._next()) <= until:
            self.now = max(self.now, instant)
            for happenings in self._rounds(self._due()):
                rounds += 1
                self._work(happenings)
        if until < NEVER:
            self.now = until
        return rounds

    def _next(self) -> int:
        deadlines = [shard.next() for side in self.sides.values() for shard in side.deadlines]
        nearest = [ticks(when) for when in deadlines if when is not None]
        return min([NEVER + 1, *nearest, *(happening.when for happening in self._waiting[:1])])

    def _due(self) -> list[Happening]:
        due = [happening for side in self.sides.values() for happening in side.due()]
        with self._lock:
            while self._waiting and self._waiting[0].when <= self.now:
                due.append(heapq.heappop(self._waiting))
        return due

    def _rounds(self, due: list[Happening]) -> list[list[Happening]]:
        """Split what is due: copies into one round, different things of one call into different ones."""
        if self.unruly:
            return [due] if due else []
        groups: dict[tuple[str, int], dict[bytes, list[Happening]]] = defaultdict(dict)
        for happening in due:
            groups[happening.side, happening.group].setdefault(happening.label, []).append(happening)
        rounds: list[list[Happening]] = []
        for labels in groups.values():
            for number, label in enumerate(sorted(labels)):
                if number == len(rounds):
                    rounds.append([])
                rounds[number] += labels[label]
        return rounds

    def _work(self, happenings: list[Happening]) -> None:
        """Do all of a round: copies of one thing go to different threads, at the same place in their work."""
        order = [happening.run for happening in happenings]
        if self._hands is None:
            for run in order:
                run()
            return
        if self.unruly:
            self._deal.shuffle(order)
        self._hands.work(order, self._deal.randrange(1 << 30))


def call_id_of(data: bytes) -> str:
    """The Call-ID of a message, "" when it has none that can be found."""
    for line in data.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() in (b"call-id", b"i"):
            return value.strip().decode("utf-8", "surrogateescape")
    return ""

"""What the transports add to the bare system calls, and what framing costs.

Run: python -m perf.transport_costs. Programs are run in turn (A B A B ...) in one process; CPU microseconds, median of
the rounds. A pair is one datagram of 800 bytes sent and received on loopback.
"""

import socket
import statistics
import time
from collections.abc import Callable

from transport import Flow, Limits, Reactor
from transport.framing import StreamCodec

ROUNDS = 9
COUNT = 32_000
HEAD = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nContent-Length: 300\r\n"
MESSAGE = HEAD + b"X-Filling: " + b"x" * (800 - len(HEAD) - 15 - 300) + b"\r\n\r\n" + b"v" * 300


class Bare:
    """sendto and recvfrom, nothing else."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.sender, self.receiver = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in (self.sender, self.receiver):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        self.to = self.receiver.getsockname()

    def run(self) -> None:
        send, receive, to = self.sender.sendto, self.receiver.recvfrom, self.to
        for _ in range(COUNT // self.batch):
            for _ in range(self.batch):
                send(MESSAGE, to)
            for _ in range(self.batch):
                receive(65_536)

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()


class Ours:
    """The same through a reactor."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.count = 0
        self.reactor = Reactor(self._received, lambda flow, error: None, limits=Limits(batch=64))
        sender, receiver = (self.reactor.listen("udp:127.0.0.1:0") for _ in range(2))
        self.flow = self.reactor.flow_to(receiver, local=sender)
        self.reactor.run_once(0.0)

    def _received(self, batch: list[tuple[bytes, Flow]]) -> None:
        self.count += len(batch)

    def run(self) -> None:
        send, turn, flow = self.reactor.send, self.reactor.run_once, self.flow
        for _ in range(COUNT // self.batch):
            for _ in range(self.batch):
                send(flow, MESSAGE)
            turn(0.0)

    def close(self) -> None:
        self.reactor.stop()


class Framing:
    """Cut reads of so many messages."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.codec = StreamCodec(Limits())
        self.read = MESSAGE * batch

    def run(self) -> None:
        feed, read = self.codec.feed, self.read
        for _ in range(COUNT // self.batch):
            feed(read)


class Halves(Framing):
    """Every message in two reads."""

    def run(self) -> None:
        feed, first, second = self.codec.feed, MESSAGE[:500], MESSAGE[500:]
        for _ in range(COUNT):
            feed(first)
            feed(second)


def compare(programs: dict[str, Callable[[], None]]) -> None:
    """Run each in turn and print the medians."""
    results: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            began = time.process_time()
            program()
            results[name].append((time.process_time() - began) / COUNT * 1e6)
    for name, times in results.items():
        print(f"{name:<44} {statistics.median(times):6.2f} us")


def main() -> None:
    bare = Bare(32)
    ours = {batch: Ours(batch) for batch in (64, 32, 4, 1)}
    compare(
        {
            "bare sendto + recvfrom": bare.run,
            **{f"reactor, {batch} datagrams a turn": each.run for batch, each in ours.items()},
        }
    )
    bare.close()
    for made in ours.values():
        made.close()
    compare(
        {
            **{f"framing, {batch} messages a read": Framing(batch).run for batch in (1, 10, 100)},
            "framing, every message in two reads": Halves(1).run,
        }
    )


if __name__ == "__main__":
    main()

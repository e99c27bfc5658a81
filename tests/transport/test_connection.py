"""Connections and hostile peers: what one of them does must not reach the others."""

import gc
import socket
import struct
import weakref
from collections.abc import Callable, Iterator

import pytest

from tests.transport.conftest import Bench
from transport import Address, Flow, Limits

INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
OK = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"


class Peers:
    """Plain sockets connected to a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.address = bench.listen("tcp:127.0.0.1:0")
        self.made: list[socket.socket] = []

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        made = socket.socket()
        if receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(10.0)
        made.connect((self.address.host, self.address.port))
        self.made.append(made)
        accepted = self.bench.count("connections_accepted")
        self.bench.until(lambda: self.bench.count("connections_accepted") > accepted)
        return made

    def flow(self, peer: socket.socket) -> Flow:
        return self.bench.reactor.flow_to(Address("TCP", *peer.getsockname()))

    def still_served(self) -> None:
        """Another connection is answered."""
        count = len(self.bench.received)
        other = self.connect()
        other.sendall(INVITE)
        self.bench.until(lambda: len(self.bench.received) > count)
        self.bench.reactor.send(self.bench.received[-1][1], OK)
        assert other.recv(1000) == OK


@pytest.fixture
def make_peers(make_bench: Callable[..., Bench]) -> Iterator[Callable[..., Peers]]:
    made: list[Peers] = []

    def make(limits: Limits | None = None) -> Peers:
        made.append(Peers(make_bench(limits)))
        return made[-1]

    yield make
    for peers in made:
        for each in peers.made:
            each.close()


def reset(peer: socket.socket) -> None:
    """Close with RST instead of FIN."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_messages_come_up_and_answers_go_back(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    peer.sendall(INVITE * 3)
    peers.bench.until(lambda: len(peers.bench.received) == 3)
    flow = peers.bench.received[0][1]
    assert flow.reliable
    assert not flow.secure
    assert flow.remote == Address("TCP", *peer.getsockname())
    assert flow.local == peers.address
    peers.bench.reactor.send(flow, OK)
    assert peer.recv(1000) == OK


def test_a_ping_is_answered_at_once(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    peer.sendall(b"\r\n\r\n")
    peers.bench.turn()
    assert peer.recv(10) == b"\r\n"


def test_no_segment_waits_to_be_filled(make_peers: Callable[..., Peers]) -> None:
    """TCP_NODELAY on both kinds of connections."""
    bench = make_peers().bench
    bench.reactor.flow_to(bench.reactor.addresses[0])
    bench.until(lambda: bench.count("connections_accepted") == 1)
    for connection in bench.reactor._streams._pool.all():
        assert connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_sent_before_the_connection_stands_is_kept_in_order(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    flow = bench.reactor.flow_to(bench.listen("tcp:127.0.0.1:0"))
    sent = [b"OPTIONS sip:%d SIP/2.0\r\nl: 0\r\n\r\n" % number for number in range(50)]
    for data in sent:
        bench.reactor.send(flow, data)
    bench.until(lambda: len(bench.received) == 50)
    assert bench.messages == sent


def test_refused(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        flow = bench.reactor.flow_to(Address("TCP", *taken.getsockname()))
        bench.reactor.send(flow, INVITE)
        bench.until(lambda: bench.failures)
    assert bench.failures[0][0] == flow
    assert bench.causes == ["refused"]
    bench.reactor.send(flow, INVITE)
    assert bench.causes == ["refused", "closed"]


def test_connecting_takes_only_so_long(make_peers: Callable[..., Peers]) -> None:
    bench = make_peers().bench
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        # TCP stands, in the backlog; TLS never will, because nobody answers.
        flow = bench.reactor.flow_to(Address("TLS", *deaf.getsockname()))
        bench.reactor.send(flow, INVITE)
        bench.turn()
        bench.clock.advance(bench.reactor.limits.connect_timeout)
        bench.turn()
    assert [failed for failed, _ in bench.failures] == [flow]
    assert bench.causes == ["timeout"]


def test_an_idle_connection_is_closed(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers(Limits(idle_timeout=30.0))
    peer = peers.connect()
    peers.bench.clock.advance(29.0)
    peer.sendall(INVITE)
    peers.bench.until(lambda: peers.bench.received)
    peers.bench.clock.advance(29.0)
    peers.bench.turn()
    assert peers.bench.count("connections") == 1
    peers.bench.clock.advance(1.0)
    peers.bench.turn()
    assert peers.bench.causes == ["idle"]
    assert peer.recv(10) == b""
    assert peers.bench.count("connections") == 0


def test_one_byte_a_second_does_not_hold_a_connection(make_peers: Callable[..., Peers]) -> None:
    """Slow-loris: the time for a message runs from its first byte, whatever trickles in."""
    peers = make_peers(Limits(message_timeout=16.0))
    slow = [peers.connect() for _ in range(300)]
    for index in range(17):
        for peer in slow:
            peer.sendall(INVITE[index : index + 1])
        peers.bench.turn()
        if index < 16:
            peers.still_served()
            assert peers.bench.causes == []
        peers.bench.clock.advance(1.0)
    peers.bench.turn()
    assert peers.bench.causes == ["timeout"] * 300
    peers.still_served()


def test_a_message_in_two_parts_does_not_time_out(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers(Limits(message_timeout=16.0))
    peer = peers.connect()
    for _ in range(3):
        peer.sendall(INVITE[:20])
        peers.bench.turn()
        peers.bench.clock.advance(10.0)
        peer.sendall(INVITE[20:])
        peers.bench.turn()
    assert len(peers.bench.received) == 3
    assert peers.bench.causes == []


def test_reset_within_a_message(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    flow = peers.flow(peer)
    peer.sendall(INVITE + INVITE[:10])
    peers.bench.until(lambda: peers.bench.received)
    reset(peer)
    peers.bench.until(lambda: peers.bench.failures)
    assert peers.bench.failures[0][0] == flow
    assert peers.bench.causes == ["reset"]
    peers.still_served()


def test_reset_is_also_met_when_sending(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    flow = peers.flow(peer)
    reset(peer)
    peers.bench.reactor.send(flow, OK)
    peers.bench.reactor.send(flow, OK)
    peers.bench.until(lambda: peers.bench.failures)
    peers.bench.turn()
    assert set(peers.bench.causes) <= {"reset", "closed"}
    assert peers.bench.count("connections") == 0
    peers.still_served()


def test_the_end_within_a_message_is_a_framing_error(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    peer.sendall(INVITE[:-1])
    peer.close()
    peers.bench.until(lambda: peers.bench.failures)
    assert peers.bench.causes == ["framing"]


def test_a_half_closed_connection_still_carries_answers(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers(Limits(half_close_timeout=2.0))
    peer = peers.connect()
    peer.sendall(INVITE)
    peer.shutdown(socket.SHUT_WR)
    peers.bench.until(lambda: peers.bench.received)
    peers.bench.turn()
    assert peers.bench.causes == []
    peers.bench.reactor.send(peers.bench.received[0][1], OK)
    assert peer.recv(1000) == OK
    peers.bench.clock.advance(2.0)
    peers.bench.turn()
    assert peers.bench.causes == ["closed"]
    assert peer.recv(1000) == b""


def test_a_half_closed_connection_is_not_used_for_requests(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    flow = peers.flow(peer)
    peer.shutdown(socket.SHUT_WR)
    peers.bench.turn()
    assert peers.flow(peer) != flow


def test_garbage_ends_the_connection_after_what_was_whole(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    peer.sendall(INVITE + b"\x16\x03\x01\x02\x00\x01\x00")
    peers.bench.until(lambda: peers.bench.failures)
    assert peers.bench.messages == [INVITE]
    assert peers.bench.causes == ["framing"]
    assert peer.recv(10) == b""
    peers.still_served()


def test_a_peer_that_never_reads_is_bounded_in_memory_and_time(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers(Limits(bytes_queued=200_000, write_timeout=16.0))
    deaf = peers.connect(receive_buffer=4096)
    flow = peers.flow(deaf)
    while not peers.bench.failures:
        peers.bench.reactor.send(flow, b"SIP/2.0 200 OK\r\nl: 0\r\nX: " + b"x" * 10_000 + b"\r\n\r\n")
    assert peers.bench.causes == ["queue full"]
    peers.bench.turn()
    peers.still_served()
    peers.bench.clock.advance(16.0)
    peers.bench.turn()
    assert peers.bench.causes == ["queue full", "timeout"]
    assert peers.bench.count("connections") == 1
    peers.still_served()


def test_a_slow_reader_gets_everything_in_order(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect(receive_buffer=4096)
    flow = peers.flow(peer)
    sent = b"".join(b"%06d" % number + b"x" * 994 for number in range(2000))
    for start in range(0, len(sent), 1000):
        peers.bench.reactor.send(flow, sent[start : start + 1000])
    read = b""
    while len(read) < len(sent):
        peers.bench.turn(2)
        read += peer.recv(100_000)
    assert read == sent
    peers.bench.turn()
    assert peers.bench.reactor.run_once(0.0) is False, "room is watched though nothing waits"


def test_close_flow_sends_what_was_sent_before(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    flow = peers.flow(peer)
    peers.bench.reactor.send(flow, OK)
    peers.bench.reactor.close_flow(flow)
    peers.bench.reactor.close_flow(flow)
    peers.bench.turn()
    assert peer.recv(1000) == OK
    assert peer.recv(1000) == b""
    assert peers.bench.causes == ["closed"]


def test_close_flow_waits_for_a_slow_reader(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect(receive_buffer=4096)
    flow = peers.flow(peer)
    sent = b"x" * 3_000_000
    peers.bench.reactor.send(flow, sent)
    peers.bench.reactor.close_flow(flow)
    peers.bench.turn()
    assert peers.bench.causes == []
    assert peers.flow(peer) != flow, "a connection that is finishing takes no new requests"
    read = b""
    while len(read) < len(sent):
        peers.bench.turn(2)
        read += peer.recv(1_000_000)
    peers.bench.turn()
    assert read == sent
    assert "closed" in peers.bench.causes
    assert peer.recv(10) == b""


def test_stop_lets_a_slow_reader_take_what_was_sent(make_peers: Callable[..., Peers]) -> None:
    import threading

    peers = make_peers()
    peer = peers.connect(receive_buffer=4096)
    peers.bench.reactor.send(peers.flow(peer), b"x" * 3_000_000)
    read: list[int] = []

    def reader() -> None:
        while data := peer.recv(100_000):
            read.append(len(data))

    thread = threading.Thread(target=reader)
    thread.start()
    peers.bench.reactor.stop()
    thread.join()
    assert sum(read) == 3_000_000


def test_a_bug_costs_one_connection(make_peers: Callable[..., Peers], caplog: pytest.LogCaptureFixture) -> None:
    peers = make_peers()
    peer = peers.connect()
    connection = peers.flow(peer).channel

    class Wrong:
        pings = 0
        partial = False

        def feed(self, data: bytes) -> list[bytes]:
            raise LookupError("a bug")

        def close(self) -> bytes:
            raise LookupError("another bug")

    connection._codec = Wrong()  # type: ignore[attr-defined]
    with caplog.at_level("CRITICAL", "transport"):
        peer.sendall(INVITE)
        peers.bench.until(lambda: peers.bench.failures)
    assert peers.bench.count("connection_errors") == 2
    assert peers.bench.count("connections") == 0
    peers.still_served()


def test_a_connection_that_is_over_leaves_no_cycle_behind(make_peers: Callable[..., Peers]) -> None:
    peers = make_peers()
    peer = peers.connect()
    flow = peers.flow(peer)
    alive = weakref.ref(flow.channel._socket)  # type: ignore[attr-defined]
    gc.collect()
    gc.disable()
    try:
        peers.bench.reactor.close_flow(flow)
        peers.bench.turn()
        peers.bench.reactor.send(flow, OK)
        assert peers.bench.causes == ["closed", "closed"]
        assert [failed for failed, _ in peers.bench.failures] == [flow, flow]
        peers.bench.reactor.send(peers.bench.failures[0][0], OK)
        assert peers.bench.causes == ["closed", "closed", "closed"]
        peers.bench.failures.clear()
        del flow
        assert alive() is None
    finally:
        gc.enable()

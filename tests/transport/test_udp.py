import errno
import gc
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from tests.transport.conftest import Bench
from transport import Address, Flow, Limits
from transport.udp import UdpSocket

linux = pytest.mark.skipif(sys.platform != "linux", reason="the error queue of sockets is Linux's")
INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n\r\n"


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def peer(host: str) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind((host, 0))
        made.settimeout(10.0)
        yield made


def listen(bench: Bench, host: str) -> Address:
    return bench.reactor.listen(Address("UDP", host, 0))


def test_a_datagram_comes_up_with_its_flow_and_the_answer_goes_back(
    bench: Bench, host: str, peer: socket.socket
) -> None:
    address = listen(bench, host)
    peer.sendto(INVITE, (host, address.port))
    bench.until(lambda: bench.received)
    (data, flow), *_ = bench.received
    assert data == INVITE
    assert flow.local == address
    assert (flow.remote.host, flow.remote.port) == peer.getsockname()[:2]
    bench.reactor.send(flow, b"SIP/2.0 100 Trying\r\n\r\n")
    assert peer.recvfrom(2000)[0] == b"SIP/2.0 100 Trying\r\n\r\n"
    assert (bench.count("datagrams_in"), bench.count("datagrams_out")) == (1, 1)
    assert (bench.count("datagram_bytes_in"), bench.count("datagram_bytes_out")) == (len(INVITE), 22)


def test_datagrams_come_up_in_order_and_in_batches(make_bench: Callable[..., Bench], host: str) -> None:
    bench = make_bench(Limits(batch=8))
    to = bench.reactor.flow_to(listen(bench, host))
    sent = [b"OPTIONS %d" % number for number in range(50)]
    for data in sent:
        bench.reactor.send(to, data)
    bench.until(lambda: len(bench.received) == 50)
    assert bench.messages == sent
    assert len({id(flow) for _, flow in bench.received}) == 1


def test_an_ipv6_socket_is_for_ipv6_only(bench: Bench) -> None:
    six = bench.listen("udp:[::]:0")
    four = bench.reactor.listen(Address("UDP", "0.0.0.0", six.port))
    assert four.port == six.port


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        (b"", "dropped_empty"),
        (b"\r\n", "dropped_keep_alive"),
        (b"\r\n\r\n", "dropped_keep_alive"),
        (b"\0\0\0\0", "dropped_keep_alive"),
    ],
)
def test_keep_alives_are_counted_and_dropped(
    bench: Bench, host: str, peer: socket.socket, data: bytes, counted: str
) -> None:
    address = listen(bench, host)
    peer.sendto(data, (host, address.port))
    peer.sendto(INVITE, (host, address.port))
    bench.until(lambda: bench.received)
    assert bench.messages == [INVITE]
    assert bench.count(counted) == 1


def test_empty_lines_before_the_start_line_are_ignored(bench: Bench, host: str, peer: socket.socket) -> None:
    """RFC 3261 section 7.5."""
    address = listen(bench, host)
    peer.sendto(b"\r\n\r\n" + INVITE, (host, address.port))
    bench.until(lambda: bench.received)
    assert bench.messages == [INVITE]


def test_an_oversized_datagram_is_counted_and_dropped(make_bench: Callable[..., Bench], host: str) -> None:
    bench = make_bench(Limits(datagram=1000))
    to = bench.reactor.flow_to(listen(bench, host))
    for size in (1001, 40_000, 1000):
        bench.reactor.send(to, b"x" * size)
    bench.until(lambda: bench.received)
    assert [len(data) for data in bench.messages] == [1000]
    assert bench.count("dropped_oversized") == 2


def test_the_largest_datagram_passes(bench: Bench) -> None:
    to = bench.reactor.flow_to(bench.listen())
    bench.reactor.send(to, b"x" * 65_507)
    bench.until(lambda: bench.received)
    assert len(bench.messages[0]) == 65_507


def test_a_message_too_large_for_a_datagram_is_reported(bench: Bench) -> None:
    to = bench.reactor.flow_to(bench.listen())
    bench.reactor.send(to, b"x" * 65_508)
    assert bench.causes == ["oversized"]
    assert bench.failures[0][0] is to


@linux
def test_port_unreachable_is_reported_on_the_flow(bench: Bench, host: str, peer: socket.socket) -> None:
    """RFC 3261 section 18.4: an ICMP error informs the transport user."""
    listen(bench, host)
    dead = Address("UDP", host, peer.getsockname()[1])
    peer.close()
    to = bench.reactor.flow_to(dead)
    bench.reactor.send(to, INVITE)
    bench.until(lambda: bench.failures)
    assert bench.failures[0][0] == to
    assert bench.causes == ["refused"]
    assert bench.count("errors_icmp") == 1


@linux
def test_the_error_of_one_peer_does_not_harm_another(bench: Bench, host: str, peer: socket.socket) -> None:
    """An unconnected socket reports a pending error at the next call, whatever that one's destination."""
    address = listen(bench, host)
    dead = Address("UDP", host, peer.getsockname()[1])
    peer.close()
    well = bench.reactor.flow_to(address)
    for number in range(5):
        bench.reactor.send(bench.reactor.flow_to(dead), INVITE)
        bench.reactor.send(well, b"OPTIONS %d" % number)
    bench.until(lambda: len(bench.received) == 5 and bench.failures)
    bench.turn()
    assert bench.messages == [b"OPTIONS %d" % number for number in range(5)]
    assert {flow.remote for flow, _ in bench.failures} == {dead}
    assert bench.reactor.run_once(0.0) is False


def test_what_cannot_be_routed_is_reported_at_once(bench: Bench) -> None:
    bench.listen("udp:127.0.0.1:0")
    to = bench.reactor.flow_to(Address("UDP", "192.0.2.1", 5060))
    bench.reactor.send(to, INVITE)
    bench.turn()
    assert bench.causes == ["unreachable"]


class FullSocket:
    """A socket whose send buffer is full for as long as the test wants."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.full = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def sendto(self, data: bytes, to: tuple[str, int]) -> int:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "full")
        return self.real.sendto(data, to)


def fill(flow: Flow) -> FullSocket:
    channel = flow.channel
    assert isinstance(channel, UdpSocket)
    full = FullSocket(channel._socket)
    channel._socket = full  # type: ignore[assignment]
    return full


def test_when_the_send_buffer_is_full_datagrams_wait_in_order(bench: Bench) -> None:
    to = bench.reactor.flow_to(bench.listen())
    bench.turn()
    full = fill(to)
    sent = [b"OPTIONS %d" % number for number in range(5)]
    for data in sent:
        bench.reactor.send(to, data)
    bench.turn()
    assert bench.messages == []
    full.full = False
    bench.until(lambda: len(bench.received) == 5)
    assert bench.messages == sent
    bench.turn()
    assert bench.reactor.run_once(0.0) is False, "room in the send buffer is no longer watched"


def test_the_waiting_datagrams_are_bounded(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(datagrams_queued=2))
    to = bench.reactor.flow_to(bench.listen())
    full = fill(to)
    for _ in range(3):
        bench.reactor.send(to, INVITE)
    assert bench.causes == ["queue full"]
    assert bench.count("dropped_queue_full") == 1
    full.full = False
    bench.until(lambda: len(bench.received) == 2)


def test_what_waits_when_the_socket_is_closed_fails(bench: Bench) -> None:
    address = bench.listen()
    to = bench.reactor.flow_to(address)
    fill(to)
    bench.reactor.send(to, INVITE)
    bench.reactor.close(address)
    assert bench.causes == ["closed"]
    bench.reactor.send(to, INVITE)
    bench.turn()
    assert bench.causes == ["closed", "closed"]


def test_an_error_while_the_waiting_are_sent_is_reported(bench: Bench) -> None:
    to = bench.reactor.flow_to(bench.listen())
    full = fill(to)
    bench.reactor.send(to, b"x" * 65_508)
    bench.reactor.send(to, INVITE)
    full.full = False
    bench.until(lambda: bench.received)
    assert bench.causes == ["oversized"]


def test_flows_remembered_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.udp._FLOWS_REMEMBERED", 4)
    address = bench.listen()
    first = bench.reactor.flow_to(address)
    for port in range(1, 10):
        bench.reactor.flow_to(Address("UDP", "127.0.0.1", port))
    channel = first.channel
    assert isinstance(channel, UdpSocket)
    assert len(channel._flows) <= 4
    assert bench.reactor.flow_to(address) == first


def test_each_thread_keeps_its_order_on_a_flow(bench: Bench) -> None:
    to = bench.reactor.flow_to(bench.listen())
    barrier = threading.Barrier(4)

    def sender(worker: int) -> None:
        barrier.wait()
        for number in range(200):
            bench.reactor.send(to, b"%d %d" % (worker, number))

    threads = [threading.Thread(target=sender, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    bench.until(lambda: len(bench.received) == 800, turns=10_000)
    for thread in threads:
        thread.join()
    for worker in range(4):
        mine = [int(data.split()[1]) for data in bench.messages if data.startswith(b"%d " % worker)]
        assert mine == list(range(200))
    assert bench.count("datagrams_out") == 800


def test_a_thread_that_is_just_sending_meets_no_other_socket(bench: Bench) -> None:
    """Its descriptor's number, once read, must not become another socket's before it has entered the kernel."""
    address = bench.listen()
    channel = bench.reactor.flow_to(address).channel
    assert isinstance(channel, UdpSocket)
    number, sending = channel._socket.fileno(), channel._socket.sendto
    bench.reactor.close(address)
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    assert number not in [other.fileno() for other in others]
    with pytest.raises(OSError, match="Invalid argument"):
        sending(INVITE, (address.host, address.port))
    assert bench.reactor.listen(address) == address, "the port is free at once"
    bench.clock.advance(1.0)
    bench.turn()
    assert channel._socket.fileno() == -1
    for other in others:
        other.close()


def test_a_closed_socket_leaves_no_cycle_behind(bench: Bench) -> None:
    address = bench.listen()
    flow = bench.reactor.flow_to(address)
    channel = flow.channel
    gc.collect()
    gc.disable()
    try:
        bench.turn()
        bench.reactor.close(address)
        bench.clock.advance(1.0)
        bench.turn()
        gone = weakref.ref(channel._socket) if isinstance(channel, UdpSocket) else None
        del flow, channel
        assert gone is not None
        assert gone() is None
    finally:
        gc.enable()

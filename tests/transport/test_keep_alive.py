import socket
from collections.abc import Callable, Iterator

import pytest

from tests.transport.conftest import Bench
from transport import Address, Flow, stun
from transport.keep_alive import PONG_TIMEOUT

OPTIONS = b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n"


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    made = make_bench()
    made.reactor._keep_alives._fraction = lambda: 0.5
    return made


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A UDP peer that answers nothing of itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10.0)
        yield made


def pass_time(bench: Bench, seconds: float) -> None:
    bench.turn()
    bench.clock.advance(seconds)
    bench.turn(8)


def to(bench: Bench, peer: socket.socket) -> Flow:
    bench.listen("udp:127.0.0.1:0")
    return bench.reactor.flow_to(Address("UDP", *peer.getsockname()))


def waiting(peer: socket.socket) -> list[bytes]:
    """What has arrived, read without waiting."""
    found = []
    peer.setblocking(False)
    try:
        while True:
            found.append(peer.recv(2000))
    except BlockingIOError:
        return found


@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
def test_connections_are_pinged_within_80_to_100_percent_of_the_interval(secure_bench: Bench, transport: str) -> None:
    bench = secure_bench
    bench.reactor._keep_alives._fraction = lambda: 0.5
    flow = bench.reactor.flow_to(bench.listen(f"{transport}:127.0.0.1:0"), domain="example.com")
    bench.reactor.send(flow, OPTIONS)
    bench.until(lambda: bench.received)
    bench.reactor.keep_alive(flow, 120.0)
    pass_time(bench, 107.9)
    assert bench.count("keep_alives_out") == 0
    for number in range(1, 4):
        pass_time(bench, 0.2)
        assert bench.count("keep_alives_out") == number
        pass_time(bench, PONG_TIMEOUT)
        pass_time(bench, 97.9)
    assert bench.causes == []
    bench.reactor.stop_keep_alive(flow)
    pass_time(bench, 300.0)
    assert bench.count("keep_alives_out") == 3


def test_a_connection_whose_peer_does_not_answer_is_dead(bench: Bench) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        flow = bench.reactor.flow_to(Address("TCP", *deaf.getsockname()))
        bench.turn()
        bench.reactor.keep_alive(flow, 100.0)
        pass_time(bench, 90.0)
        pass_time(bench, PONG_TIMEOUT - 0.1)
        assert bench.causes == []
        pass_time(bench, 0.2)
        assert bench.causes == ["dead"]
        assert bench.failures[0][0] == flow
        assert bench.reactor._keep_alives._kept == {}


@pytest.mark.parametrize("end_after_ping", [False, True])
def test_a_connection_that_ended_is_forgotten(bench: Bench, end_after_ping: bool) -> None:
    flow = bench.reactor.flow_to(bench.listen("tcp:127.0.0.1:0"))
    bench.reactor.keep_alive(flow, 100.0)
    if end_after_ping:
        pass_time(bench, 90.0)
    bench.reactor.close_flow(flow)
    pass_time(bench, 90.0)
    assert bench.reactor._keep_alives._kept == {}
    assert "dead" not in bench.causes


def test_a_stun_request_is_answered(bench: Bench, silent: socket.socket) -> None:
    """RFC 5626 section 3.5.2: on the SIP port, with the address we see."""
    address = bench.listen("udp:127.0.0.1:0")
    silent.sendto(stun.binding_request(b"x" * 12), (address.host, address.port))
    bench.until(lambda: bench.count("keep_alives_in"))
    assert stun.read(silent.recv(2000)) == (b"x" * 12, silent.getsockname())
    assert bench.received == []


def test_udp_flows_are_kept_alive_by_stun(bench: Bench) -> None:
    flow = bench.reactor.flow_to(bench.listen("udp:127.0.0.1:0"))
    bench.reactor.keep_alive(flow, 30.0)
    for number in range(1, 5):
        pass_time(bench, 27.0)
        assert (bench.count("keep_alives_out"), bench.count("keep_alives_in")) == (number, number)
    assert bench.failures == []
    assert bench.reactor._keep_alives._by_id == {}


def test_a_udp_flow_without_answers_is_dead_after_seven_requests(bench: Bench, silent: socket.socket) -> None:
    flow = to(bench, silent)
    bench.reactor.keep_alive(flow, 30.0)
    pass_time(bench, 27.0)
    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        assert len(waiting(silent)) == 1
        pass_time(bench, wait)
    assert len(waiting(silent)) == 1
    pass_time(bench, 7.9)
    assert bench.causes == []
    pass_time(bench, 0.2)
    assert bench.failures[0][0] == flow
    assert bench.causes == ["dead"]
    assert (bench.reactor._keep_alives._kept, bench.reactor._keep_alives._by_id) == ({}, {})


def test_a_udp_flow_is_dead_when_the_peer_sees_another_address(bench: Bench, silent: socket.socket) -> None:
    """RFC 5626 section 4.4.2."""
    flow = to(bench, silent)
    bench.reactor.keep_alive(flow, 30.0)
    for port in (4000, 4000, 4001):
        assert bench.causes == []
        pass_time(bench, 27.0)
        heard = stun.read(waiting(silent)[0])
        assert heard is not None
        silent.sendto(stun.binding_success(heard[0], "192.0.2.1", port), (flow.local.host, flow.local.port))
        bench.turn()
    assert bench.causes == ["dead"]


def test_answers_to_nobody_are_dropped(bench: Bench, silent: socket.socket) -> None:
    address = bench.listen("udp:127.0.0.1:0")
    silent.sendto(stun.binding_success(b"x" * 12, "192.0.2.1", 4000), (address.host, address.port))
    bench.until(lambda: bench.count("dropped_stun_answers"))


def test_keeping_again_replaces_the_interval(bench: Bench) -> None:
    flow = bench.reactor.flow_to(bench.listen("udp:127.0.0.1:0"))
    bench.reactor.keep_alive(flow, 10.0)
    bench.reactor.keep_alive(flow, 100.0)
    pass_time(bench, 20.0)
    assert bench.count("keep_alives_out") == 0
    bench.reactor.stop_keep_alive(flow)
    with pytest.raises(ValueError, match="seconds between keep-alives"):
        bench.reactor.keep_alive(flow, 0.0)

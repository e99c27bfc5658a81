import socket
from collections.abc import Callable

import pytest

from tests.transport.conftest import Bench
from transport import Address, Limits, TransportError

INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"


def dial(bench: Bench, address: Address, host: str = "127.0.0.1") -> socket.socket:
    peer = socket.socket()
    peer.settimeout(10.0)
    peer.bind((host, 0))
    peer.connect((address.host, address.port))
    handled = bench.count("connections_accepted") + bench.count("connections_refused")
    bench.until(lambda: bench.count("connections_accepted") + bench.count("connections_refused") > handled)
    bench.clock.advance(1.0)
    return peer


def use(bench: Bench, peer: socket.socket) -> None:
    count = len(bench.received)
    peer.sendall(INVITE)
    bench.until(lambda: len(bench.received) > count)
    bench.clock.advance(1.0)


def closed(peer: socket.socket) -> bool:
    peer.setblocking(False)
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    finally:
        peer.settimeout(10.0)


def test_beyond_the_limit_the_least_recently_used_idle_one_is_closed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(connections=3))
    address = bench.listen("tcp:127.0.0.1:0")
    first, second, third = (dial(bench, address) for _ in range(3))
    use(bench, first)
    fourth = dial(bench, address)
    assert [closed(peer) for peer in (first, second, third, fourth)] == [False, True, False, False]
    assert bench.causes == ["limit"]
    assert bench.count("connections_evicted") == 1
    for peer in (first, second, third, fourth):
        peer.close()


def test_a_connection_within_a_message_is_not_idle(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(connections=2))
    address = bench.listen("tcp:127.0.0.1:0")
    busy, idle = dial(bench, address), dial(bench, address)
    busy.sendall(INVITE[:10])
    bench.turn()
    use(bench, idle)
    new = dial(bench, address)
    assert [closed(peer) for peer in (busy, idle, new)] == [False, True, False]
    for peer in (busy, idle, new):
        peer.close()


def test_when_none_is_idle_the_new_one_is_refused(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(connections=1))
    address = bench.listen("tcp:127.0.0.1:0")
    busy = dial(bench, address)
    busy.sendall(INVITE[:10])
    bench.turn()
    new = dial(bench, address)
    assert [closed(peer) for peer in (busy, new)] == [False, True]
    assert bench.count("connections_refused") == 1
    with pytest.raises(TransportError, match="limit") as caught:
        bench.reactor.flow_to(Address("TCP", "127.0.0.1", address.port))
    assert caught.value.cause == "limit"
    busy.close()
    new.close()


def test_one_host_has_its_own_limit(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(connections_per_host=1))
    address = bench.listen("tcp:127.0.0.1:0")
    other = dial(bench, address, "127.0.0.2")
    first, second = dial(bench, address), dial(bench, address)
    assert [closed(peer) for peer in (other, first, second)] == [False, True, False]
    for peer in (other, first, second):
        peer.close()


def test_dialling_makes_room_too(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Limits(connections=2))
    address = bench.listen("tcp:127.0.0.1:0")
    peers = [dial(bench, address) for _ in range(2)]
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.3", 0))
        elsewhere.listen()
        bench.reactor.flow_to(Address("TCP", *elsewhere.getsockname()))
        bench.until(lambda: bench.failures)
        assert [closed(peer) for peer in peers] == [True, False]
    for peer in peers:
        peer.close()


def test_what_is_over_is_forgotten(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    address = bench.listen("tcp:127.0.0.1:0")
    flows = [bench.reactor.flow_to(address, local=Address("TCP", f"127.0.0.{n}", 0)) for n in range(1, 6)]
    bench.until(lambda: bench.count("connections_accepted") == 5)
    for flow in flows:
        bench.reactor.close_flow(flow)
    bench.turn()
    bench.clock.advance(10.0)
    bench.until(lambda: bench.count("connections") == 0)
    pool = bench.reactor._streams._pool
    assert (pool._by_key, pool._keys, pool._all, pool._by_host) == ({}, {}, {}, {})

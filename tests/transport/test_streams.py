import sys
from collections.abc import Callable

import pytest

from tests.transport.conftest import Bench
from transport import Address, Flow

INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
OK = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"


def accepted(bench: Bench, flow: Flow) -> Flow:
    """The other end of a flow that this bench has with itself."""
    count = len(bench.received)
    bench.reactor.send(flow, INVITE)
    bench.until(lambda: len(bench.received) > count)
    return bench.received[-1][1]


def test_a_connection_is_used_again(bench: Bench) -> None:
    """RFC 3261 section 18, RFC 5923."""
    address = bench.listen("tcp:127.0.0.1:0")
    flow = bench.reactor.flow_to(address)
    assert bench.reactor.flow_to(address) is flow
    back = accepted(bench, flow)
    assert bench.reactor.flow_to(back.remote) is back, "also by the side that accepted it"
    assert bench.count("connections_dialled") == 1


def test_after_its_end_a_new_one_is_begun(bench: Bench) -> None:
    address = bench.listen("tcp:127.0.0.1:0")
    flow = bench.reactor.flow_to(address)
    accepted(bench, flow)
    bench.reactor.close_flow(flow)
    bench.turn()
    again = bench.reactor.flow_to(address)
    assert again != flow
    accepted(bench, again)


def test_another_local_address_is_another_connection(bench: Bench) -> None:
    address = bench.listen("tcp:127.0.0.1:0")
    flow = bench.reactor.flow_to(address, local=Address("TCP", "127.0.0.5", 0))
    assert bench.reactor.flow_to(address, local=Address("TCP", "127.0.0.5", 0)) is flow
    assert bench.reactor.flow_to(address, local=Address("TCP", "0.0.0.0", 0)) is flow
    assert bench.reactor.flow_to(address, local=Address("TCP", "127.0.0.6", 0)) is not flow


def test_an_alias_lets_requests_go_back_over_an_accepted_connection(bench: Bench) -> None:
    """RFC 5923 section 5."""
    back = accepted(bench, bench.reactor.flow_to(bench.listen("tcp:127.0.0.1:0")))
    claimed = Address("TCP", "192.0.2.1", 5060)
    bench.reactor.alias(back, claimed)
    assert bench.reactor.flow_to(claimed) is back
    bench.reactor.close_flow(back)
    bench.turn()
    bench.reactor.alias(back, claimed)
    assert bench.reactor._streams._pool.find((claimed, "")) is None


def test_datagrams_have_no_alias(bench: Bench) -> None:
    flow = bench.reactor.flow_to(bench.listen())
    with pytest.raises(ValueError, match="only connections have aliases"):
        bench.reactor.alias(flow, Address("UDP", "192.0.2.1", 5060))
    bench.reactor.close_flow(flow)
    assert bench.reactor.peer_domains(flow) == ()


def test_a_tls_connection_is_used_again_for_the_same_domain_only(secure_bench: Bench) -> None:
    """A connection that was verified for one domain says nothing about another (RFC 5922 section 4)."""
    address = secure_bench.listen("tls:127.0.0.1:0")
    flow = secure_bench.reactor.flow_to(address, domain="example.com")
    assert secure_bench.reactor.flow_to(address, domain="Example.COM") is flow
    assert secure_bench.reactor.flow_to(address, domain="example.org") is not flow
    back = accepted(secure_bench, flow)
    assert secure_bench.reactor.flow_to(back.remote) is back
    secure_bench.reactor.alias(back, Address("TLS", "192.0.2.1", 5061), domain="client.example")
    assert secure_bench.reactor.flow_to(Address("TLS", "192.0.2.1", 5061), domain="client.example") is back


@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
def test_listening_ends_and_connections_go_on(secure_bench: Bench, transport: str) -> None:
    address = secure_bench.listen(f"{transport}:127.0.0.1:0")
    flow = secure_bench.reactor.flow_to(address, domain="example.com")
    back = accepted(secure_bench, flow)
    secure_bench.reactor.close(address)
    secure_bench.reactor.send(back, OK)
    secure_bench.until(lambda: len(secure_bench.received) == 2)
    assert secure_bench.received[1] == (OK, flow)


def test_two_threads_that_ask_at_once_get_one_connection(make_bench: Callable[..., Bench]) -> None:
    import threading

    bench = make_bench()
    address = bench.listen("tcp:127.0.0.1:0")
    barrier, flows = threading.Barrier(4), []

    def ask() -> None:
        barrier.wait()
        flows.append(bench.reactor.flow_to(address))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(flows)) == 1


def test_without_its_library_websocket_says_what_to_install(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "wsproto" or name == "transport.websocket"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wsproto", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'sipdum\[websocket\]'"):
        bench.listen("ws:127.0.0.1:0")

import errno
import socket
from collections.abc import Callable

import pytest

from tests.transport.conftest import Bench
from transport import Address, TransportError
from transport.loop import READ
from transport.tcp import TcpListener, connecting

INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_families(bench: Bench, host: str) -> None:
    address = bench.reactor.listen(Address("TCP", host, 0))
    bench.reactor.send(bench.reactor.flow_to(address), INVITE)
    bench.until(lambda: bench.received)
    assert bench.received[0][1].remote.host == host


def test_the_port_is_given_back(bench: Bench, no_descriptor_leak: None) -> None:
    address = bench.listen("tcp:127.0.0.1:0")
    bench.turn()
    bench.reactor.close(address)
    assert bench.reactor.listen(address) == address
    bench.reactor.close(address)


def test_a_listener_closed_before_it_opened_stays_closed(bench: Bench) -> None:
    bench.reactor.close(bench.listen("tcp:127.0.0.1:0"))
    bench.turn()
    assert bench.count("callback_errors") == 0


def test_the_local_address_is_bound_when_asked_for(bench: Bench) -> None:
    address = bench.listen("tcp:127.0.0.1:0")
    flow = bench.reactor.flow_to(address, local=Address("TCP", "127.0.0.5", 5060))
    assert flow.local.host == "127.0.0.5"
    bench.reactor.send(flow, INVITE)
    bench.until(lambda: bench.received)
    assert bench.received[0][1].remote.host == "127.0.0.5"


def test_what_cannot_begin_raises() -> None:
    with pytest.raises(OSError, match=r"[Nn]etwork is unreachable|[Nn]o route|[Pp]ermission"):
        connecting(Address("TCP", "255.255.255.255", 5060), None)


def test_a_connection_that_cannot_begin_is_a_transport_error(bench: Bench) -> None:
    with pytest.raises(TransportError, match="255") as caught:
        bench.reactor.flow_to(Address("TCP", "255.255.255.255", 5060))
    assert caught.value.cause == "unreachable"


class Exhausted:
    """A listening socket in a process that has no descriptor left."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.tried = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def accept(self) -> tuple[socket.socket, object]:
        self.tried += 1
        raise OSError(errno.EMFILE, "Too many open files")


def test_without_descriptors_accepting_pauses_instead_of_spinning(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    address = bench.listen("tcp:127.0.0.1:0")
    bench.turn()
    listener = bench.reactor._sockets[address]
    assert isinstance(listener, TcpListener)
    real = listener._socket
    exhausted = Exhausted(real)
    listener._socket = exhausted  # type: ignore[assignment]
    with socket.socket() as peer:
        peer.connect((address.host, address.port))
        bench.until(lambda: bench.count("errors_accept"))
        bench.turn(20)
        assert exhausted.tried == 1
        listener._socket = real
        bench.clock.advance(1.0)
        bench.until(lambda: bench.count("connections_accepted"))


def test_a_connection_lost_before_it_was_accepted_is_passed_over(bench: Bench) -> None:
    address = bench.listen("tcp:127.0.0.1:0")
    bench.turn()
    listener = bench.reactor._sockets[address]
    assert isinstance(listener, TcpListener)
    real, failures = listener._socket, [OSError(errno.ECONNABORTED, "aborted")]

    class Aborted(Exhausted):
        def accept(self) -> tuple[socket.socket, object]:
            if failures:
                raise failures.pop()
            return self.real.accept()

    listener._socket = Aborted(real)  # type: ignore[assignment]
    listener.ready(READ)
    assert bench.count("errors_accept") == 1
    listener._socket = real

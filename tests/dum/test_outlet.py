"""The outlet: hops become flows, and a flow that fails is the failure of what waits on it."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from dum.effects import Hop
from dum.outlet import _FLOWS_KEPT, _KEPT_FOR_A_FLOW, Outlet
from transport import Address, Flow, Reactor, TransportError
from transport.naming import Wanted
from transport.resolver import Resolver


class RecordingReactor:
    """A reactor that only notes what it is asked for."""

    def __init__(self) -> None:
        self.sent: list[tuple[Flow, bytes]] = []
        self.asked: list[tuple[Address, Address | None]] = []

    def flow_to(self, remote: Address, *, local: Address | None = None, domain: str | None = None) -> Flow:
        self.asked.append((remote, local))
        return flow_to(remote)

    def send(self, flow: Flow, data: bytes) -> None:
        self.sent.append((flow, data))


def flow_to(remote: Address, serial: int = 0) -> Flow:
    local = Address(remote.transport, "10.0.0.1", 5060)
    return Flow(local, remote, cast(Any, None), (remote.host, remote.port), serial)


class SteppedResolver:
    """A resolver that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Wanted, Callable[[list[Address] | TransportError], None]]] = []
        self.set_aside: list[Address] = []

    def resolve(self, wanted: Wanted, done: Callable[[list[Address] | TransportError], None]) -> None:
        self.asked.append((wanted, done))

    def failed(self, address: Address) -> None:
        self.set_aside.append(address)


def outlet_with(
    reactor: RecordingReactor, resolver: SteppedResolver | None = None
) -> tuple[Outlet, list[tuple[int, str]]]:
    failed: list[tuple[int, str]] = []
    names = cast(Resolver, resolver or SteppedResolver())
    return Outlet(cast(Reactor, reactor), names, lambda lane, key: failed.append((lane, key))), failed


def test_a_hop_is_sent_to_the_flow_of_its_address() -> None:
    reactor = RecordingReactor()
    outlet, _ = outlet_with(reactor)
    outlet.send(Hop("UDP", "10.0.0.2", 5070), b"data", 1, "")
    assert reactor.asked == [(Address("UDP", "10.0.0.2", 5070), None)]
    assert reactor.sent == [(flow_to(Address("UDP", "10.0.0.2", 5070)), b"data")]


def test_a_hop_over_udp_leaves_by_the_socket_that_the_peer_wrote_to() -> None:
    reactor = RecordingReactor()
    outlet, _ = outlet_with(reactor)
    came_by = flow_to(Address("UDP", "10.0.0.9", 5060))
    outlet.send(Hop("UDP", "10.0.0.2", 5070, came_by), b"data", 1, "")
    assert reactor.asked == [(Address("UDP", "10.0.0.2", 5070), came_by.local)]


@pytest.mark.parametrize("host", ["10.0.0.2", "8f2a.invalid"])
def test_a_connection_is_used_again_for_its_own_host_and_for_one_that_cannot_be_reached(host: str) -> None:
    reactor = RecordingReactor()
    outlet, _ = outlet_with(reactor)
    connection = flow_to(Address("TCP", "10.0.0.2", 49152), serial=7)
    outlet.send(Hop("TCP", host, 5060, connection), b"data", 1, "")
    assert reactor.sent == [(connection, b"data")]
    assert reactor.asked == []


def test_a_connection_is_not_used_for_another_host_or_transport() -> None:
    reactor = RecordingReactor()
    outlet, _ = outlet_with(reactor)
    connection = flow_to(Address("TCP", "10.0.0.2", 49152), serial=7)
    outlet.send(Hop("TCP", "10.0.0.3", 5060, connection), b"data", 1, "")
    outlet.send(Hop("UDP", "10.0.0.2", 5060, connection), b"data", 1, "")
    assert [remote for remote, _ in reactor.asked] == [
        Address("TCP", "10.0.0.3", 5060),
        Address("UDP", "10.0.0.2", 5060),
    ]


def test_what_goes_to_a_name_waits_for_its_address_and_keeps_its_order() -> None:
    reactor, resolver = RecordingReactor(), SteppedResolver()
    outlet, failed = outlet_with(reactor, resolver)
    for data in (b"INVITE", b"CANCEL"):
        outlet.send(Hop("UDP", "example.com", 0), data, 1, "cA")
    assert [wanted for wanted, _ in resolver.asked] == [Wanted("example.com", transport="UDP")]
    assert reactor.sent == []
    resolver.asked[0][1]([Address("UDP", "::1", 5060), Address("UDP", "10.0.0.2", 5070)])
    flow = flow_to(Address("UDP", "10.0.0.2", 5070))
    assert reactor.sent == [(flow, b"INVITE"), (flow, b"CANCEL")]
    outlet.send(Hop("UDP", "example.com", 0), b"BYE", 1, "cB")
    assert len(resolver.asked) == 2
    assert failed == []


def test_a_name_without_address_fails_what_waits_for_it() -> None:
    reactor, resolver = RecordingReactor(), SteppedResolver()
    outlet, failed = outlet_with(reactor, resolver)
    outlet.send(Hop("UDP", "example.com", 0), b"INVITE", 1, "cA")
    outlet.send(Hop("UDP", "example.com", 0), b"ACK", 1, "")
    resolver.asked[0][1](TransportError("unreachable", "the name has no address"))
    assert failed == [(1, "cA")]
    assert reactor.sent == []


def test_a_transport_that_does_not_exist_is_a_transport_error() -> None:
    outlet, _ = outlet_with(RecordingReactor())
    with pytest.raises(TransportError, match="SCTP"):
        outlet.send(Hop("SCTP", "example.com", 0), b"data", 1, "c1")


def test_a_numeric_host_without_port_gets_the_default_of_its_transport() -> None:
    reactor = RecordingReactor()
    outlet, _ = outlet_with(reactor)
    outlet.send(Hop("TLS", "10.0.0.2", 0), b"data", 1, "")
    assert reactor.asked == [(Address("TLS", "10.0.0.2", 5061), None)]


def test_an_address_that_failed_is_set_aside() -> None:
    resolver = SteppedResolver()
    outlet, _ = outlet_with(RecordingReactor(), resolver)
    outlet.flow_failed(flow_to(Address("UDP", "10.0.0.2", 5060)))
    assert resolver.set_aside == [Address("UDP", "10.0.0.2", 5060)]


def test_a_failed_flow_is_told_to_the_requests_that_wait_on_it_and_to_nobody_else() -> None:
    outlet, failed = outlet_with(RecordingReactor())
    outlet.send(Hop("UDP", "10.0.0.2", 5060), b"request", 3, "cA INVITE")
    outlet.send(Hop("UDP", "10.0.0.2", 5060), b"response", 4, "sB INVITE")
    outlet.send(Hop("UDP", "10.0.0.3", 5060), b"request", 5, "cC BYE")
    outlet.flow_failed(flow_to(Address("UDP", "10.0.0.2", 5060)))
    assert failed == [(3, "cA INVITE")]
    outlet.flow_failed(flow_to(Address("UDP", "10.0.0.2", 5060)))
    assert failed == [(3, "cA INVITE")]


def test_what_is_remembered_is_bounded() -> None:
    outlet, failed = outlet_with(RecordingReactor())
    for number in range(_KEPT_FOR_A_FLOW + 10):
        outlet.send(Hop("UDP", "10.0.0.2", 5060), b"request", 0, f"c{number}")
    outlet.flow_failed(flow_to(Address("UDP", "10.0.0.2", 5060)))
    assert [key for _, key in failed] == [f"c{number}" for number in range(10, _KEPT_FOR_A_FLOW + 10)]
    for number in range(_FLOWS_KEPT + 10):
        outlet.send(Hop("UDP", "10.0.0.2", 1 + number % 65535), b"request", 0, "c")
    assert len(outlet._waiting) <= _FLOWS_KEPT

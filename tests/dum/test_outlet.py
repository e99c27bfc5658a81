"""The outlet: hops become flows, and a flow that fails is the failure of what waits on it."""

from typing import Any, cast

import pytest

from dum.effects import Hop
from dum.outlet import _FLOWS_KEPT, _KEPT_FOR_A_FLOW, Outlet
from transport import Address, Flow, Reactor, TransportError


class RecordingReactor:
    """A reactor that only notes what it is asked for."""

    def __init__(self) -> None:
        self.sent: list[tuple[Flow, bytes]] = []
        self.asked: list[tuple[Address, Address | None]] = []

    def flow_to(self, remote: Address, *, local: Address | None = None) -> Flow:
        self.asked.append((remote, local))
        if remote.host == "unresolved":
            raise ValueError("unresolved is a name: resolve it first")
        return flow_to(remote)

    def send(self, flow: Flow, data: bytes) -> None:
        self.sent.append((flow, data))


def flow_to(remote: Address, serial: int = 0) -> Flow:
    local = Address(remote.transport, "10.0.0.1", 5060)
    return Flow(local, remote, cast(Any, None), (remote.host, remote.port), serial)


def outlet_with(reactor: RecordingReactor) -> tuple[Outlet, list[tuple[int, str]]]:
    failed: list[tuple[int, str]] = []
    return Outlet(cast(Reactor, reactor), lambda lane, key: failed.append((lane, key))), failed


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


def test_a_name_is_a_transport_error() -> None:
    outlet, _ = outlet_with(RecordingReactor())
    with pytest.raises(TransportError, match="resolve it first"):
        outlet.send(Hop("UDP", "unresolved", 5060), b"data", 1, "c1")


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
        outlet.send(Hop("UDP", "10.0.0.2", number % 65536), b"request", 0, "c")
    assert len(outlet._waiting) <= _FLOWS_KEPT

import pytest

from transport import Address, Flow, local_host_for
from transport.address import Channel


class Nowhere:
    def send(self, flow: Flow, data: bytes) -> None:
        raise AssertionError("nothing is to be sent")


NOWHERE: Channel = Nowhere()


def flow(local: str, remote: str, serial: int = 0) -> Flow:
    there = Address.parse(remote)
    return Flow(Address.parse(local), there, NOWHERE, there.socket_address, serial)


@pytest.mark.parametrize(
    ("text", "transport", "host", "port"),
    [
        ("udp:127.0.0.1:5060", "UDP", "127.0.0.1", 5060),
        ("TCP:[::1]:5070", "TCP", "::1", 5070),
        ("tls:proxy.example.com", "TLS", "proxy.example.com", 5061),
        ("ws:example.com", "WS", "example.com", 80),
        ("wss:[2001:db8::1]", "WSS", "2001:db8::1", 443),
        ("udp:[::]:0", "UDP", "::", 0),
    ],
)
def test_parse(text: str, transport: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert (address.transport, address.host, address.port) == (transport, host, port)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("127.0.0.1:5060", "such as udp:127.0.0.1:5060"),
        ("sctp:127.0.0.1:5060", "one of udp, tcp, tls, ws, wss"),
        ("udp", "such as udp:127.0.0.1:5060"),
        ("udp::5060", "the host is missing"),
        ("udp:", "the host is missing"),
        ("udp:::1:5060", "in brackets"),
        ("udp:[::1", "write an IPv6 address as"),
        ("udp:[::1]5060", "write an IPv6 address as"),
        ("udp:[127.0.0.1]:5060", "is no IPv6 address"),
        ("udp:host:port", "the port must be a number"),
        ("udp:host:65536", "the port must be a number"),
        ("udp:host:-1", "the port must be a number"),
        ("udp:host:٣", "the port must be a number"),
    ],
)
def test_parse_says_what_is_wrong(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Address.parse(text)


@pytest.mark.parametrize(
    ("transport", "host", "port", "advice"),
    [
        ("udp", "127.0.0.1", 5060, "unknown transport 'udp'"),
        ("UDP", "", 5060, "give a name or an address"),
        ("UDP", "[::1]", 5060, "without brackets"),
        ("UDP", "::1", 65536, "outside 0-65535"),
    ],
)
def test_an_address_that_cannot_be_is_refused(transport: str, host: str, port: int, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Address(transport, host, port)


def test_addresses_are_compared_and_found_by_value() -> None:
    address = Address("UDP", "127.0.0.1", 5060)
    assert {address: "here"}[Address.parse("udp:127.0.0.1:5060")] == "here"
    assert address != Address("TCP", "127.0.0.1", 5060)
    assert address != "udp:127.0.0.1:5060"
    assert repr(address) == "Address('UDP', '127.0.0.1', 5060)"


def test_the_form_that_the_socket_module_takes() -> None:
    assert Address("UDP", "192.0.2.1", 5060).socket_address == ("192.0.2.1", 5060)
    assert Address("UDP", "::1", 5060).socket_address == ("::1", 5060, 0, 0)
    assert Address("UDP", "fe80::1%1", 5060).socket_address == ("fe80::1%1", 5060, 0, 1)


def test_a_name_has_to_be_resolved_first() -> None:
    with pytest.raises(ValueError, match="resolve the name first"):
        _ = Address("UDP", "example.com", 5060).socket_address


def test_an_unknown_interface_is_named() -> None:
    with pytest.raises(ValueError, match="no network interface 'nosuch9'"):
        _ = Address("UDP", "fe80::1%nosuch9", 5060).socket_address


def test_a_flow_tells_what_it_is() -> None:
    secure = flow("tls:127.0.0.1:5061", "tls:127.0.0.2:4000", serial=7)
    assert (secure.transport, secure.reliable, secure.secure) == ("TLS", True, True)
    plain = flow("udp:127.0.0.1:5060", "udp:127.0.0.2:4000")
    assert (plain.transport, plain.reliable, plain.secure) == ("UDP", False, False)
    assert repr(secure) == "<Flow tls:127.0.0.1:5061 -> tls:127.0.0.2:4000 #7>"


def test_flows_are_equal_when_bytes_take_the_same_way() -> None:
    assert flow("udp:127.0.0.1:5060", "udp:127.0.0.2:4000") == flow("udp:127.0.0.1:5060", "udp:127.0.0.2:4000")
    assert flow("udp:127.0.0.1:5060", "udp:127.0.0.2:4000") != flow("udp:127.0.0.1:5062", "udp:127.0.0.2:4000")
    first = flow("tcp:127.0.0.1:5060", "tcp:127.0.0.2:4000", serial=1)
    again = flow("tcp:127.0.0.1:5060", "tcp:127.0.0.2:4000", serial=2)
    assert first != again
    assert {first: "first", again: "again"}[first] == "first"
    assert first != "a flow"


def test_local_host_for_loopback_is_loopback() -> None:
    assert local_host_for("127.0.0.1") == "127.0.0.1"
    assert local_host_for("::1") == "::1"


def test_local_host_for_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="resolve the name first"):
        local_host_for("example.com")

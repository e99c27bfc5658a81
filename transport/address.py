"""Where bytes go and where they came from."""

import ipaddress
import socket
from typing import Final, Protocol

TRANSPORTS: Final = ("UDP", "TCP", "TLS", "WS", "WSS")
SECURE_TRANSPORTS: Final = ("TLS", "WSS")
DEFAULT_PORTS: Final = {"UDP": 5060, "TCP": 5060, "TLS": 5061, "WS": 80, "WSS": 443}

type SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Address:
    """A transport, a host and a port: `udp:127.0.0.1:5060`.

    Immutable and hashable; may be used from any thread. The transport is in upper case, an IPv6 host has no brackets.
    Raises ValueError for a transport that does not exist, an empty host or a port outside 0-65535.
    """

    __slots__ = ("_hash", "host", "port", "transport")

    def __init__(self, transport: str, host: str, port: int) -> None:
        if transport not in TRANSPORTS:
            raise ValueError(f"unknown transport {transport!r}: use one of {', '.join(TRANSPORTS)}")
        if not host or host[0] == "[":
            raise ValueError(f"host {host!r}: give a name or an address, an IPv6 address without brackets")
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is outside 0-65535")
        self.transport: Final = transport
        self.host: Final = host
        self.port: Final = port
        self._hash: Final = hash((transport, host, port))

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address written as `udp:127.0.0.1:5060`, `tcp:[::1]:5060` or `ws:example.com` (the transport's own port).

        Raises ValueError, saying what is wrong, for anything else.
        """
        transport, colon, rest = text.partition(":")
        transport = transport.upper()
        if not colon or transport not in TRANSPORTS:
            raise ValueError(
                f"address {text!r}: write TRANSPORT:HOST:PORT with TRANSPORT one of udp, tcp, tls, ws, wss, "
                "such as udp:127.0.0.1:5060"
            )
        host, digits = _split_host(text, rest)
        if not digits:
            return cls(transport, host, DEFAULT_PORTS[transport])
        if not (digits.isascii() and digits.isdecimal()) or int(digits) > 65535:
            raise ValueError(f"address {text!r}: the port must be a number from 0 to 65535, not {digits!r}")
        return cls(transport, host, int(digits))

    @property
    def is_ipv6(self) -> bool:
        """Whether the host is an IPv6 address."""
        return ":" in self.host

    @property
    def is_wildcard(self) -> bool:
        """Whether the host stands for every local address of its family (`0.0.0.0` or `::`)."""
        return self.host in ("0.0.0.0", "::")

    @property
    def socket_address(self) -> SocketAddress:
        """The form that the socket module takes. Raises ValueError when the host is a name: resolve it first."""
        try:
            parsed = ipaddress.ip_address(self.host)
        except ValueError:
            raise ValueError(f"{self}: the host must be an IP address here; resolve the name first") from None
        if parsed.version == 4:
            return (self.host, self.port)
        return (self.host, self.port, 0, _scope_number(self.host))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Address):
            return NotImplemented
        return self.port == other.port and self.host == other.host and self.transport == other.transport

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport.lower()}:{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self.transport!r}, {self.host!r}, {self.port})"


def _split_host(text: str, rest: str) -> tuple[str, str]:
    if rest.startswith("["):
        host, bracket, after = rest[1:].partition("]")
        if not bracket or (after and after[0] != ":"):
            raise ValueError(f"address {text!r}: write an IPv6 address as [::1], followed by :PORT")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"address {text!r}: {host!r} is no IPv6 address") from None
        return host, after[1:]
    host, _, digits = rest.partition(":")
    if ":" in digits:
        raise ValueError(f"address {text!r}: write an IPv6 address in brackets, such as tcp:[::1]:5060")
    if not host:
        raise ValueError(f"address {text!r}: the host is missing; 0.0.0.0 or [::] stands for every local address")
    return host, digits


def _scope_number(host: str) -> int:
    _, percent, scope = host.partition("%")
    if not percent:
        return 0
    try:
        return int(scope) if scope.isdecimal() else socket.if_nametoindex(scope)
    except OSError:
        raise ValueError(f"address {host!r}: this machine has no network interface {scope!r}") from None


class Channel(Protocol):
    """What a flow sends through: a bound datagram socket or one connection."""

    def send(self, flow: "Flow", data: bytes) -> None:
        """Send, or queue in order, without blocking; from any thread."""


class Flow:
    """How one message came, or where one goes: transport, local and remote address, and the socket in between.

    Immutable by agreement, hashable, valid from any thread. Two flows are equal when bytes sent on them take the same
    way: for UDP, the same socket address pair; for connections, the very same connection, told apart by `serial` (0 for
    UDP), so that a flow of a closed connection never equals one of its successor (RFC 5626 section 3.1).
    """

    __slots__ = ("channel", "local", "reliable", "remote", "secure", "serial", "socket_address", "transport")

    def __init__(
        self, local: Address, remote: Address, channel: Channel, socket_address: SocketAddress, serial: int = 0
    ) -> None:
        self.transport: Final = remote.transport
        self.local: Final = local
        self.remote: Final = remote
        self.reliable: Final = remote.transport != "UDP"
        self.secure: Final = remote.transport in SECURE_TRANSPORTS
        self.serial: Final = serial
        self.channel: Final = channel
        self.socket_address: Final = socket_address

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Flow):
            return NotImplemented
        return self.serial == other.serial and self.remote == other.remote and self.local == other.local

    def __hash__(self) -> int:
        return hash((self.serial, self.remote._hash))

    def __repr__(self) -> str:
        return f"<Flow {self.local} -> {self.remote}{f' #{self.serial}' if self.serial else ''}>"


def local_host_for(remote_host: str) -> str:
    """The local IP address from which the kernel would send to `remote_host`, for Via and Contact.

    Sends nothing and does not block. Raises ValueError for a name, OSError when there is no route.
    """
    remote = Address("UDP", remote_host, 9)
    family = socket.AF_INET6 if remote.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(remote.socket_address)
        host: str = probe.getsockname()[0]
    return host

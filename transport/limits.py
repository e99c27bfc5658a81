"""How much of everything the transports accept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds in bytes, counts and seconds, all changeable; none is ever unlimited.

    The defaults suit a server on the open network. Raises ValueError for a bound that makes no sense.
    """

    datagram: int = 65_507
    """The largest datagram accepted; a larger one is counted and dropped."""
    message: int = 1_048_576
    """The largest message accepted from a stream, headers and body together."""
    header: int = 65_536
    """The largest header section accepted from a stream, start line included."""
    batch: int = 64
    """The most datagrams read from one socket before the others get their turn."""
    read: int = 65_536
    """The most bytes read from one connection before the others get their turn."""
    receive_buffer: int = 4_194_304
    """What is asked of the kernel for a datagram socket (SO_RCVBUF); statistics tell what was granted."""
    send_buffer: int = 1_048_576
    """What is asked of the kernel for a datagram socket (SO_SNDBUF)."""
    datagrams_queued: int = 4_096
    """The most datagrams waiting for a socket whose send buffer is full."""
    bytes_queued: int = 4_194_304
    """The most bytes waiting for one connection whose peer does not read."""
    connections: int = 10_000
    """The most connections in all; beyond, the idle one used least recently is closed."""
    connections_per_host: int = 10_000
    """The most connections accepted from one IP address; beyond, its least recently used idle one is closed."""
    connect_timeout: float = 8.0
    """Seconds until a connection has to be established, TLS and WebSocket handshakes included."""
    message_timeout: float = 16.0
    """Seconds from the first byte of a message on a stream until its last."""
    write_timeout: float = 16.0
    """Seconds that queued bytes may wait without the peer reading any."""
    half_close_timeout: float = 2.0
    """Seconds that a connection whose peer has sent its last byte stays open for answers."""
    idle_timeout: float = 900.0
    """Seconds without a byte in either direction after which a connection is closed."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)!r}: every limit must be larger than zero")
        if self.datagram > 65_535:
            raise ValueError(f"datagram={self.datagram}: no datagram is larger than 65,535 bytes")
        if self.header > self.message:
            raise ValueError(f"header={self.header} exceeds message={self.message}: headers are part of the message")

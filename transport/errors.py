"""What the network does to us, as a value."""

from typing import Final


class TransportError(Exception):
    """Bytes could not be delivered, or a connection came to its end.

    Handed to the `failed` callback of a `Reactor` as a value, never raised by `send`. `cause` is one of these words,
    made for counting and deciding; `str(error)` is the sentence for a person.

    refused        nobody listens there, or the network says unreachable (RFC 3261 section 18.4)
    unreachable    no route, no address of that family, or the system does not let us send there
    timeout        the connection was not established, or a message was not completed, in time
    idle           nothing was received or sent for the configured time
    reset          the peer broke the connection off
    closed         the connection or socket was closed, by the peer in good order or by us
    queue full     the peer does not read as fast as we write
    oversized      the message does not fit into a datagram, or is larger than configured
    framing        the peer's byte stream cannot be cut into messages
    limit          a configured limit on connections was reached
    handshake      TLS or WebSocket could not be agreed on
    dead           keep-alives remained without an answer (RFC 5626 section 4.4.1)
    """

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.cause: Final = cause
        self.reason: Final = reason

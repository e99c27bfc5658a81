"""Bytes in, framed messages out: sockets, name resolution and deadlines. Knows framing, not what SIP means."""

from transport.address import Address, Flow, local_host_for
from transport.deadlines import Deadlines
from transport.errors import TransportError
from transport.limits import Limits
from transport.reactor import Reactor
from transport.tls import TlsSettings

__all__ = ["Address", "Deadlines", "Flow", "Limits", "Reactor", "TlsSettings", "TransportError", "local_host_for"]

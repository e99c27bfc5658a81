"""Bytes in, framed messages out: sockets, name resolution and deadlines. Knows framing, not what SIP means.

The resolver, which needs dnspython, is imported by `from transport.resolver import Resolver`.
"""

from transport.address import Address, Flow, local_host_for
from transport.deadlines import Deadlines
from transport.errors import TransportError
from transport.limits import Limits
from transport.naming import Wanted
from transport.reactor import Reactor
from transport.tls import TlsSettings

__all__ = [
    "Address",
    "Deadlines",
    "Flow",
    "Limits",
    "Reactor",
    "TlsSettings",
    "TransportError",
    "Wanted",
    "local_host_for",
]

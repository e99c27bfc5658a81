"""Which addresses to try for a SIP URI, and in which order (RFC 3263, RFC 2782): rules without a network.

`locate` asks for records through a function it is given. Everything that comes back is treated as hostile: counts are
bounded, so that no answer makes us ask or try without end.
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, Literal

from transport.address import DEFAULT_PORTS, SECURE_TRANSPORTS, TRANSPORTS, Address

TARGETS_AT_MOST: Final = 16
SERVICES_AT_MOST: Final = 8
_NAPTR_SERVICES: Final = {
    "SIP+D2U": "UDP",
    "SIP+D2T": "TCP",
    "SIPS+D2T": "TLS",
    "SIP+D2W": "WS",
    "SIPS+D2W": "WSS",
}
_SRV_PREFIXES: Final = {
    "UDP": "_sip._udp.",
    "TCP": "_sip._tcp.",
    "TLS": "_sips._tcp.",
    "WS": "_sip._ws.",
    "WSS": "_sips._ws.",
}

type Kind = Literal["NAPTR", "SRV", "A", "AAAA"]
type Ask = Callable[[str, Kind], Sequence["Record"]]
type Record = "Naptr | Srv | str"


class NoAnswer(Exception):
    """A question remained without an answer: a time-out, SERVFAIL, a loop, a name that cannot be."""


class Naptr:
    """The fields of a NAPTR record (RFC 3403) that RFC 3263 section 4.1 uses."""

    __slots__ = ("flags", "order", "preference", "replacement", "service")

    def __init__(self, order: int, preference: int, flags: str, service: str, replacement: str) -> None:
        self.order: Final = order
        self.preference: Final = preference
        self.flags: Final = flags
        self.service: Final = service
        self.replacement: Final = replacement


class Srv:
    """A SRV record (RFC 2782)."""

    __slots__ = ("port", "priority", "target", "weight")

    def __init__(self, priority: int, weight: int, port: int, target: str) -> None:
        self.priority: Final = priority
        self.weight: Final = weight
        self.port: Final = port
        self.target: Final = target


class Wanted:
    """What a URI says about where its requests go: the host, perhaps a port and a transport, and whether it is `sips`.

    `transport` is upper case; with `secure`, TCP means TLS and WS means WSS. Immutable and hashable. Raises ValueError
    for a transport that does not exist, or UDP with `secure`.
    """

    __slots__ = ("_key", "host", "port", "secure", "transport")

    def __init__(
        self, host: str, *, port: int | None = None, transport: str | None = None, secure: bool = False
    ) -> None:
        if transport is not None and transport not in TRANSPORTS:
            raise ValueError(f"unknown transport {transport!r}: use one of {', '.join(TRANSPORTS)}")
        if secure and transport == "UDP":
            raise ValueError("sips cannot be reached over UDP: leave the transport out, or use TLS or WSS")
        if secure and transport is not None:
            transport = {"TCP": "TLS", "WS": "WSS"}.get(transport, transport)
        self.host: Final = host.lower().rstrip(".")
        self.port: Final = port
        self.transport: Final = transport
        self.secure: Final = secure
        self._key: Final = (self.host, port, transport, secure)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Wanted) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Wanted({self.host!r}, port={self.port}, transport={self.transport!r}, secure={self.secure})"


def is_numeric(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def locate(
    wanted: Wanted,
    ask: Ask,
    *,
    transports: Sequence[str] = ("UDP", "TCP", "TLS"),
    families: Sequence[Kind] = ("A", "AAAA"),
    draw: Callable[[int], int],
) -> list[Address]:
    """The addresses to try, in order, each once; empty when there are none.

    `transports` are those we have, the preferred first; `families` likewise. `draw(n)` returns a random number from 0
    to n, both included. `ask` may raise NoAnswer: what can be found without that answer is returned, and NoAnswer is
    raised only when that is nothing.
    """
    able = [each for each in transports if each in SECURE_TRANSPORTS] if wanted.secure else list(transports)
    usual = "TLS" if wanted.secure else "UDP"
    default = wanted.transport or (usual if usual in able or not able else able[0])
    if is_numeric(wanted.host) or wanted.port is not None:
        services = [(default, wanted.host, wanted.port or DEFAULT_PORTS[default])]
        return _Search(ask, families).addresses(services)
    search = _Search(ask, families)
    if wanted.transport is not None:
        services = search.servers(wanted.transport, _SRV_PREFIXES[wanted.transport] + wanted.host, draw)
    else:
        services = search.services(wanted.host, able, draw)
    found = search.addresses(services or [(default, wanted.host, DEFAULT_PORTS[default])])
    if not found and search.unanswered is not None:
        raise search.unanswered
    return found


class _Search:
    """One search: asks, remembering that an answer was missing."""

    def __init__(self, ask: Ask, families: Sequence[Kind]) -> None:
        self._ask = ask
        self._families = families
        self.unanswered: NoAnswer | None = None

    def records(self, name: str, kind: Kind) -> Sequence[Record]:
        try:
            return self._ask(name, kind)
        except NoAnswer as error:
            self.unanswered = error
            return ()

    def services(self, host: str, able: Sequence[str], draw: Callable[[int], int]) -> list[tuple[str, str, int]]:
        """RFC 3263 section 4.1: by NAPTR, else by SRV for every transport we have."""
        found: list[tuple[str, str, int]] = []
        records = [record for record in self.records(host, "NAPTR") if isinstance(record, Naptr)]
        usable = [
            (record.order, record.preference, _NAPTR_SERVICES[record.service.upper()], record.replacement)
            for record in records
            if record.flags.lower() == "s" and _NAPTR_SERVICES.get(record.service.upper()) in able
        ]
        for _, _, transport, name in sorted(usable)[:SERVICES_AT_MOST]:
            found += self.servers(transport, name, draw)
        if not found:
            for transport in able:
                found += self.servers(transport, _SRV_PREFIXES[transport] + host, draw)
        return found

    def servers(self, transport: str, name: str, draw: Callable[[int], int]) -> list[tuple[str, str, int]]:
        records = [record for record in self.records(name, "SRV") if isinstance(record, Srv)]
        ordered = by_weight(records, draw)[:TARGETS_AT_MOST]
        # The target "." says that the service is decidedly not available there (RFC 2782).
        return [(transport, record.target, record.port) for record in ordered if record.target not in (".", "")]

    def addresses(self, services: Sequence[tuple[str, str, int]]) -> list[Address]:
        found: dict[Address, None] = {}
        for transport, host, port in services:
            hosts: Sequence[Record] = [host] if is_numeric(host) else self._hosts(host)
            for each in hosts:
                if len(found) < TARGETS_AT_MOST and isinstance(each, str):
                    found[Address(transport, each, port)] = None
            if len(found) >= TARGETS_AT_MOST:
                break
        if not found and self.unanswered is not None:
            raise self.unanswered
        return list(found)

    def _hosts(self, name: str) -> list[Record]:
        return [record for family in self._families for record in self.records(name, family)]


def by_weight(records: Sequence[Srv], draw: Callable[[int], int]) -> list[Srv]:
    """Records in the order of RFC 2782: by priority, and within one priority drawn by weight."""
    ordered: list[Srv] = []
    for priority in sorted({record.priority for record in records}):
        # Those of weight 0 come first, so that they have a very small chance of being drawn first.
        rest = sorted((record for record in records if record.priority == priority), key=lambda record: record.weight)
        while rest:
            drawn, passed = draw(sum(record.weight for record in rest)), 0
            for index, record in enumerate(rest):
                passed += record.weight
                if passed >= drawn:
                    ordered.append(rest.pop(index))
                    break
    return ordered

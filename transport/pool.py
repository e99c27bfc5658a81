"""Which connections there are: finding one to use again (RFC 5923), and how many there may be.

A connection is found by the address (and, for TLS, the domain) it was opened to, by the address it was accepted from,
and by aliases. Beyond a limit the idle connection used least recently makes room. Nothing is moved when a message
passes:
connections are kept in the order of their arrival with the time of their last use as known then, and one that turns out
to have been used since goes to the end instead of being closed.
"""

import itertools
import threading
from typing import Final

from transport.address import Address
from transport.connection import Connection
from transport.errors import TransportError
from transport.limits import Limits

type Key = tuple[Address, str]


class Pool:
    """The connections of one reactor. Safe from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        self._by_key: dict[Key, Connection] = {}
        self._keys: dict[int, list[Key]] = {}
        self._all: dict[int, tuple[float, Connection]] = {}
        self._by_host: dict[str, dict[int, tuple[float, Connection]]] = {}
        self.opening: Final = threading.Lock()

    def serial(self) -> int:
        """A number that no connection has had."""
        return next(self._serials)

    def find(self, key: Key) -> Connection | None:
        """The connection to use for this address and domain."""
        found = self._by_key.get(key)
        return found if found is not None and found.usable else None

    def add(self, connection: Connection, key: Key) -> None:
        """Take in a connection, to be found by this key."""
        serial = connection.flow.serial
        with self._lock:
            entry = (connection.last_used, connection)
            self._all[serial] = entry
            self._by_host.setdefault(connection.flow.remote.host, {})[serial] = entry
            self._keys[serial] = [key]
            self._by_key[key] = connection

    def alias(self, connection: Connection, key: Key) -> None:
        """Let a connection be found by another address as well, unless it is over."""
        with self._lock:
            if connection.flow.serial in self._all:
                self._keys[connection.flow.serial].append(key)
                self._by_key[key] = connection

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        serial, host = connection.flow.serial, connection.flow.remote.host
        with self._lock:
            if self._all.pop(serial, None) is None:
                return
            mine = self._by_host[host]
            del mine[serial]
            if not mine:
                del self._by_host[host]
            for key in self._keys.pop(serial):
                if self._by_key.get(key) is connection:
                    del self._by_key[key]

    def make_room(self, host: str) -> tuple[bool, Connection | None]:
        """Whether one more connection with `host` is allowed, and the idle one that has to be closed for it."""
        with self._lock:
            mine = self._by_host.get(host, {})
            if len(mine) >= self._limits.connections_per_host:
                oldest = _least_recently_used(mine)
                return oldest is not None, oldest
            if len(self._all) >= self._limits.connections:
                oldest = _least_recently_used(self._all)
                return oldest is not None, oldest
        return True, None

    def numbered(self, serial: int) -> Connection | None:
        """The connection with this serial number."""
        entry = self._all.get(serial)
        return entry[1] if entry is not None else None

    def all(self) -> list[Connection]:
        """Every connection, oldest first."""
        with self._lock:
            return [connection for _, connection in self._all.values()]

    def __len__(self) -> int:
        return len(self._all)


def _least_recently_used(entries: dict[int, tuple[float, Connection]]) -> Connection | None:
    for _ in range(len(entries)):
        serial = next(iter(entries))
        known, connection = entries[serial]
        if known == connection.last_used and connection.idle:
            return connection
        del entries[serial]
        entries[serial] = (connection.last_used, connection)
    return next((connection for _, connection in entries.values() if connection.idle), None)


def limit_reached(host: str) -> TransportError:
    """Why a connection was closed or refused to stay within the limits."""
    return TransportError("limit", f"the limit on connections, or on those with {host}, is reached")

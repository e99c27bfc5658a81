"""Names on a real network: asks name servers on threads of its own, and remembers answers and failures.

The threads are few and every search has one time limit for all its questions together, so that a name server that is
silent delays what needs it and nothing else. Nobody waits here: `resolve` returns at once and calls back.
"""

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import dns.exception
import dns.resolver

from transport.address import Address
from transport.errors import TransportError
from transport.naming import Kind, Naptr, NoAnswer, Record, Srv, Wanted, is_numeric, locate
from transport.tally import Tally

logger = logging.getLogger("transport")

_HOSTS_FILE: Final = Path("/etc/hosts")
_NAMES_REMEMBERED: Final = 4096
_WAITING_AT_MOST: Final = 1024
_LONGEST: Final = 86_400.0
_NEGATIVE: Final = 30.0
_FAILED: Final = 5.0

type Done = Callable[[list[Address] | TransportError], None]


class _Failure:
    """That a question had no answer, remembered for a moment; not the exception, which would keep its traceback."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason: Final = reason


class Resolver:
    """Finds addresses for names by RFC 3263.

    `nameservers` (IP addresses, asked at `port`) replace those of the system. `timeout` bounds a whole search,
    `attempt` one question to one server, in seconds. `set_aside` is for how long an address that failed
    goes to the end of the list. `transports` are those we have, the preferred first.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        *,
        nameservers: Sequence[str] | None = None,
        port: int = 53,
        transports: Sequence[str] = ("UDP", "TCP", "TLS"),
        families: Sequence[Kind] = ("A", "AAAA"),
        timeout: float = 5.0,
        attempt: float = 1.5,
        set_aside: float = 60.0,
        threads: int = 4,
        hosts: Mapping[str, Sequence[str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[int], int] | None = None,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads={threads}: at least one is needed")
        self._dns = dns.resolver.Resolver(configure=nameservers is None)
        if nameservers is not None:
            self._dns.nameservers = list(nameservers)
            self._dns.port = port
        self._dns.timeout = attempt
        self._timeout = timeout
        self._set_aside = set_aside
        self._clock = clock
        self._transports = tuple(transports)
        self._families = tuple(families)
        self._draw = draw or partial(random.SystemRandom().randint, 0)
        self._hosts = _hosts_file() if hosts is None else {name.lower(): tuple(found) for name, found in hosts.items()}
        self._tally = Tally()
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Kind], tuple[float, Sequence[Record] | _Failure]] = {}
        self._aside: dict[Address, float] = {}
        self._pending: dict[Wanted, list[Done]] = {}
        self._queue: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"sip resolver {number + 1}", daemon=True)
            for number in range(threads)
        ]
        self._started = False
        self._closed = False

    def resolve(self, wanted: Wanted, done: Done) -> None:
        """Find the addresses to try for `wanted`, in order, and call `done` once, with them or with a TransportError.

        `done` is called before this returns when nothing has to be asked for, else on a thread of the resolver; it must
        be quick. Those set aside come last, never left out. Raises RuntimeError after `close`.
        """
        if is_numeric(wanted.host):
            done(self._order(self._locate(wanted, _never_asked)))
            return
        try:
            known = self._locate(wanted, self._remembered)
        except _NotKnown:
            self._begin(wanted, done)
        except NoAnswer as error:
            self._tally.add("answered_from_memory")
            done(_no_address(wanted, str(error)))
        else:
            self._tally.add("answered_from_memory")
            done(self._order(known) if known else _no_address(wanted, "the name has no address"))

    def failed(self, address: Address) -> None:
        """Set an address aside for a while: it did not answer, or answered 503 without Retry-After."""
        with self._lock:
            now = self._clock()
            if len(self._aside) >= _NAMES_REMEMBERED:
                self._aside = {key: until for key, until in self._aside.items() if until > now}
            self._aside[address] = now + self._set_aside

    def worked(self, address: Address) -> None:
        """An address answered: it is set aside no longer."""
        with self._lock:
            self._aside.pop(address, None)

    def forget(self) -> None:
        """Forget every answer and every failure."""
        with self._lock:
            self._known.clear()
            self._aside.clear()

    def statistics(self) -> dict[str, int]:
        """Counts since the start: questions, answers from memory, failures; names remembered, searches pending."""
        counts = self._tally.total()
        counts["names_remembered"] = len(self._known)
        counts["searches_pending"] = len(self._pending)
        return counts

    def close(self, timeout: float = 5.0) -> bool:
        """End the threads, and every search with an error. False when a thread still waits for an answer."""
        with self._lock:
            again, self._closed = self._closed, True
            abandoned, self._pending = self._pending, {}
        if not again:
            for _ in self._threads:
                self._queue.put(None)
        for wanted, waiting in abandoned.items():
            self._tell(waiting, _no_address(wanted, "the resolver was closed"))
        if self._started:
            deadline = time.monotonic() + timeout
            for thread in self._threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _begin(self, wanted: Wanted, done: Done) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("this resolver is closed: make a new one")
            full = len(self._pending) >= _WAITING_AT_MOST and wanted not in self._pending
            first = not full and wanted not in self._pending
            if not full:
                self._pending.setdefault(wanted, []).append(done)
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
        if full:
            self._tally.add("refused_queue_full")
            done(_no_address(wanted, "too many names are being searched for"))
        elif first:
            self._queue.put(wanted)

    def _work(self) -> None:
        while (wanted := self._queue.get()) is not None:
            result = self._search(wanted)
            with self._lock:
                waiting = self._pending.pop(wanted, [])
            self._tell(waiting, result)

    def _tell(self, waiting: list[Done], result: list[Address] | TransportError) -> None:
        for done in waiting:
            try:
                done(list(result) if isinstance(result, list) else result)
            except Exception:
                self._tally.add("callback_errors")
                logger.exception("what waited for a name raised; the resolver goes on")

    def _search(self, wanted: Wanted) -> list[Address] | TransportError:
        try:
            found = self._locate(wanted, partial(self._ask, self._clock() + self._timeout))
        except NoAnswer as error:
            return _no_address(wanted, str(error))
        except Exception:
            self._tally.add("search_errors")
            logger.exception("searching for %r raised", wanted)
            return _no_address(wanted, "the search failed")
        return self._order(found) if found else _no_address(wanted, "the name has no address")

    def _locate(self, wanted: Wanted, ask: Callable[[str, Kind], Sequence[Record]]) -> list[Address]:
        return locate(wanted, ask, transports=self._transports, families=self._families, draw=self._draw)

    def _order(self, found: list[Address]) -> list[Address]:
        with self._lock:
            now, aside = self._clock(), self._aside
            return sorted(found, key=lambda address: aside.get(address, 0.0) > now)

    def _remembered(self, name: str, kind: Kind) -> Sequence[Record]:
        if kind in ("A", "AAAA") and (local := self._local(name)):
            return [host for host in local if (":" in host) == (kind == "AAAA")]
        known = self._known.get((name.lower().rstrip("."), kind))
        if known is None or known[0] <= self._clock():
            raise _NotKnown
        if isinstance(known[1], _Failure):
            raise NoAnswer(known[1].reason)
        return known[1]

    def _local(self, name: str) -> Sequence[str]:
        name = name.lower().rstrip(".")
        if name in self._hosts:
            return self._hosts[name]
        # RFC 6761 section 6.3.
        return ("127.0.0.1", "::1") if name == "localhost" or name.endswith(".localhost") else ()

    def _ask(self, deadline: float, name: str, kind: Kind) -> Sequence[Record]:
        with contextlib.suppress(_NotKnown):
            return self._remembered(name, kind)
        remaining = deadline - self._clock()
        if remaining <= 0:
            raise NoAnswer(f"no answer about {name} within {self._timeout} s")
        self._tally.add("questions")
        try:
            records, seconds = self._question(name, kind, remaining)
        except NoAnswer as error:
            self._remember(name, kind, _FAILED, _Failure(str(error)))
            raise
        self._remember(name, kind, min(seconds, _LONGEST), records)
        return records

    def _question(self, name: str, kind: Kind, seconds: float) -> tuple[Sequence[Record], float]:
        try:
            answer = self._dns.resolve(name, kind, lifetime=seconds, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return (), _NEGATIVE
        except dns.exception.Timeout:
            self._tally.add("questions_timed_out")
            raise NoAnswer(f"no name server answered about {name} in time") from None
        except dns.resolver.NoNameservers:
            self._tally.add("questions_failed")
            raise NoAnswer(f"the name servers failed for {name} (SERVFAIL or worse)") from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            self._tally.add("questions_failed")
            raise NoAnswer(f"{name} cannot be resolved: {error}") from None
        if answer.rrset is None:
            return (), _NEGATIVE
        return [_record(kind, data) for data in answer.rrset], float(answer.chaining_result.minimum_ttl)

    def _remember(self, name: str, kind: Kind, seconds: float, found: Sequence[Record] | _Failure) -> None:
        with self._lock:
            if len(self._known) >= _NAMES_REMEMBERED:
                now = self._clock()
                fresh = {key: value for key, value in self._known.items() if value[0] > now}
                # Still too many: the older half goes.
                self._known = fresh if len(fresh) < _NAMES_REMEMBERED else dict(list(fresh.items())[len(fresh) // 2 :])
            self._known[name.lower().rstrip("."), kind] = (self._clock() + seconds, found)


class _NotKnown(Exception):
    """The answer is not remembered."""


def _record(kind: Kind, data: object) -> Record:
    get = partial(getattr, data)
    if kind == "SRV":
        return Srv(get("priority"), get("weight"), get("port"), get("target").to_text(omit_final_dot=True))
    if kind == "NAPTR":
        flags, service = get("flags").decode("latin-1"), get("service").decode("latin-1")
        name = get("replacement").to_text(omit_final_dot=True)
        return Naptr(get("order"), get("preference"), flags, service, name)
    return str(get("address"))


def _never_asked(name: str, kind: Kind) -> Sequence[Record]:
    raise AssertionError(f"{name} is an IP address")


def _no_address(wanted: Wanted, reason: str) -> TransportError:
    return TransportError("unreachable", f"{wanted.host}: {reason}")


def _hosts_file() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    with contextlib.suppress(OSError):
        for line in _HOSTS_FILE.read_text(errors="replace").splitlines():
            host, *host_names = line.partition("#")[0].split() or [""]
            if is_numeric(host):
                for name in host_names:
                    found[name.lower()] = (*found.get(name.lower(), ()), host)
    return found

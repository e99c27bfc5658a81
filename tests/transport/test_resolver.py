"""Against a real DNS server: dnspython's own wire code on a loopback socket."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.transport.conftest import VirtualClock
from transport import Address, TransportError
from transport.naming import Wanted
from transport.resolver import Resolver

DROP, SERVFAIL, TRUNCATE = "drop", "servfail", "truncate"


def two_sockets_of_one_port() -> tuple[socket.socket, socket.socket]:
    """A UDP socket and a listening TCP socket with the same number, which some connection may have taken for TCP."""
    while True:
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
            tcp.listen()
        except OSError:
            tcp.close()
            udp.close()
        else:
            return udp, tcp


class NameServer:
    """A DNS server on loopback, UDP and TCP, that answers from a table and does as it is told."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.ttl = 300
        self.behaviour: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self._udp, self._tcp = two_sockets_of_one_port()
        self.port = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=each) for each in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def add(self, name: str, kind: str, *records: str) -> None:
        self.records[name, kind] = list(records)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65535)
            if not wire:
                return
            answer = self._answer(wire, "udp")
            if answer is not None:
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            peer, _ = self._tcp.accept()
            with peer:
                head = peer.recv(2)
                if not head:
                    return
                answer = self._answer(peer.recv(struct.unpack("!H", head)[0]), "tcp")
                if answer is not None:
                    peer.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire: bytes, over: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, over))
        orders = self.behaviour.get(name, [])
        order = orders.pop(0) if orders else ""
        if order == DROP:
            return None
        response = dns.message.make_response(query)
        if order == SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif order == TRUNCATE:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, kind)
        return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        known = False
        for _ in range(16):
            known = known or any(owner == name for owner, _ in self.records)
            if (name, kind) in self.records:
                response.answer.append(dns.rrset.from_text(name + ".", self.ttl, "IN", kind, *self.records[name, kind]))
                return
            if (name, "CNAME") not in self.records:
                break
            target = self.records[name, "CNAME"][0]
            response.answer.append(dns.rrset.from_text(name + ".", self.ttl, "IN", "CNAME", target))
            name = target.rstrip(".")
        if not known:
            response.set_rcode(dns.rcode.NXDOMAIN)


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def make_resolver(server: NameServer, clock: VirtualClock) -> Iterator[Callable[..., Resolver]]:
    made: list[Resolver] = []

    def make(**options: object) -> Resolver:
        settings: dict[str, object] = {"attempt": 0.2, "timeout": 10.0, "hosts": {}, **options}
        resolver = Resolver(nameservers=["127.0.0.1"], port=server.port, clock=clock, **settings)  # type: ignore[arg-type]
        made.append(resolver)
        return resolver

    yield make
    for resolver in made:
        assert resolver.close(timeout=20.0)


@pytest.fixture
def resolver(make_resolver: Callable[..., Resolver]) -> Resolver:
    return make_resolver(transports=("UDP", "TCP"), families=("A",))


class Answer:
    """Waits for what a resolver calls back with."""

    def __init__(self) -> None:
        self.here = threading.Event()
        self.result: list[Address] | TransportError | None = None
        self.count = 0

    def __call__(self, result: list[Address] | TransportError) -> None:
        self.result = result
        self.count += 1
        self.here.set()


def find(resolver: Resolver, wanted: Wanted) -> list[str]:
    answer = Answer()
    resolver.resolve(wanted, answer)
    assert answer.here.wait(30.0)
    assert isinstance(answer.result, list), answer.result
    return [str(address) for address in answer.result]


def error(resolver: Resolver, wanted: Wanted) -> str:
    answer = Answer()
    resolver.resolve(wanted, answer)
    assert answer.here.wait(30.0)
    assert isinstance(answer.result, TransportError), answer.result
    assert answer.result.cause == "unreachable"
    return str(answer.result)


def test_naptr_srv_and_addresses(server: NameServer, make_resolver: Callable[..., Resolver]) -> None:
    server.add("example.com", "NAPTR", '10 5 "s" "SIP+D2T" "" _sip._tcp.example.com.')
    server.add("_sip._tcp.example.com", "SRV", "10 0 5070 b.example.com.", "5 0 5080 a.example.com.")
    server.add("a.example.com", "A", "192.0.2.1")
    server.add("a.example.com", "AAAA", "2001:db8::1")
    server.add("b.example.com", "A", "192.0.2.2")
    found = find(make_resolver(), Wanted("example.com"))
    assert found == ["tcp:192.0.2.1:5080", "tcp:[2001:db8::1]:5080", "tcp:192.0.2.2:5070"]


def test_answers_are_remembered_for_their_ttl(server: NameServer, resolver: Resolver, clock: VirtualClock) -> None:
    server.add("a.example", "A", "192.0.2.1")
    wanted = Wanted("a.example", port=5060)
    assert find(resolver, wanted) == ["udp:192.0.2.1:5060"]
    server.add("a.example", "A", "192.0.2.2")
    clock.advance(299.0)
    assert find(resolver, wanted) == ["udp:192.0.2.1:5060"]
    assert len(server.asked) == 1
    clock.advance(2.0)
    assert find(resolver, wanted) == ["udp:192.0.2.2:5060"]
    assert resolver.statistics()["answered_from_memory"] == 1


def test_what_is_remembered_is_answered_before_resolve_returns(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "A", "192.0.2.1")
    find(resolver, Wanted("a.example", port=5060))
    answer = Answer()
    resolver.resolve(Wanted("a.example", port=5061), answer)
    assert answer.count == 1


def test_nothing_to_ask_is_answered_at_once(make_resolver: Callable[..., Resolver], server: NameServer) -> None:
    resolver = make_resolver(hosts={"Files.example": ["192.0.2.7", "2001:db8::7"]})
    for host, expected in [
        ("192.0.2.1", ["udp:192.0.2.1:5060"]),
        ("localhost", ["udp:127.0.0.1:5060", "udp:[::1]:5060"]),
        ("files.example", ["udp:192.0.2.7:5060", "udp:[2001:db8::7]:5060"]),
    ]:
        assert find(resolver, Wanted(host, port=5060)) == expected
    assert server.asked == []


def test_a_name_that_does_not_exist_is_remembered_too(
    server: NameServer, resolver: Resolver, clock: VirtualClock
) -> None:
    assert error(resolver, Wanted("no.example", port=5060)) == "no.example: the name has no address"
    assert error(resolver, Wanted("no.example", port=5060)) == "no.example: the name has no address"
    assert len(server.asked) == 1
    server.add("no.example", "A", "192.0.2.1")
    clock.advance(31.0)
    assert find(resolver, Wanted("no.example", port=5060)) == ["udp:192.0.2.1:5060"]


def test_an_empty_answer(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "AAAA", "2001:db8::1")
    assert "no address" in error(resolver, Wanted("a.example", port=5060))


def test_a_lost_question_is_asked_again(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [DROP, DROP]
    assert find(resolver, Wanted("a.example", port=5060)) == ["udp:192.0.2.1:5060"]
    assert len(server.asked) == 3


def test_a_truncated_answer_is_asked_for_over_tcp(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [TRUNCATE]
    assert find(resolver, Wanted("a.example", port=5060)) == ["udp:192.0.2.1:5060"]
    assert [over for _, _, over in server.asked] == ["udp", "tcp"]


def test_servfail_is_said_and_remembered_briefly(server: NameServer, resolver: Resolver, clock: VirtualClock) -> None:
    server.add("a.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [SERVFAIL] * 20
    wanted = Wanted("a.example", port=5060)
    assert "SERVFAIL" in error(resolver, wanted)
    count = len(server.asked)
    assert "SERVFAIL" in error(resolver, wanted)
    assert len(server.asked) == count
    server.behaviour.clear()
    clock.advance(6.0)
    assert find(resolver, wanted) == ["udp:192.0.2.1:5060"]


def test_servfail_for_naptr_does_not_hide_the_address(server: NameServer, resolver: Resolver) -> None:
    server.add("_sip._udp.a.example", "SRV", "0 0 5070 b.example.")
    server.add("b.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [SERVFAIL] * 20
    assert find(resolver, Wanted("a.example")) == ["udp:192.0.2.1:5070"]


def test_silence_is_bounded(server: NameServer, make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(timeout=0.5, attempt=0.1)
    server.behaviour["a.example"] = [DROP] * 1000
    assert "in time" in error(resolver, Wanted("a.example", port=5060))


def test_aliases_are_followed_and_loops_end(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "CNAME", "b.example.")
    server.add("b.example", "A", "192.0.2.1")
    assert find(resolver, Wanted("a.example", port=5060)) == ["udp:192.0.2.1:5060"]
    server.add("loop.example", "CNAME", "pool.example.")
    server.add("pool.example", "CNAME", "loop.example.")
    assert "loop.example" in error(resolver, Wanted("loop.example", port=5060))


def test_a_name_that_cannot_be_is_an_error_not_an_exception(resolver: Resolver) -> None:
    for host in ("a..example", "x" * 64 + ".example", "a" * 300, "*", "\udcff.example"):
        assert host.lower() in error(resolver, Wanted(host, port=5060))


def test_addresses_that_failed_are_set_aside_for_a_while(
    server: NameServer, resolver: Resolver, clock: VirtualClock
) -> None:
    server.add("a.example", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3")
    wanted = Wanted("a.example", port=5060)
    first, second, third = find(resolver, wanted)
    resolver.failed(Address.parse(first))
    assert find(resolver, wanted) == [second, third, first]
    clock.advance(59.0)
    resolver.failed(Address.parse(second))
    assert find(resolver, wanted) == [third, first, second]
    clock.advance(2.0)
    assert find(resolver, wanted) == [first, third, second]
    resolver.worked(Address.parse(second))
    assert find(resolver, wanted) == [first, second, third]


def test_the_same_search_is_made_once_for_all_who_wait(server: NameServer, resolver: Resolver) -> None:
    server.add("a.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [DROP]
    answers = [Answer() for _ in range(10)]
    for answer in answers:
        resolver.resolve(Wanted("a.example", port=5060), answer)
    for answer in answers:
        assert answer.here.wait(30.0)
        assert isinstance(answer.result, list)
    assert len(server.asked) == 2
    assert answers[0].result is not answers[1].result


def test_a_callback_that_raises_harms_nobody(
    server: NameServer, resolver: Resolver, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(result: object) -> None:
        raise LookupError("the application is wrong")

    server.add("a.example", "A", "192.0.2.1")
    server.behaviour["a.example"] = [DROP]
    resolver.resolve(Wanted("a.example", port=5060), wrong)
    assert find(resolver, Wanted("a.example", port=5060)) == ["udp:192.0.2.1:5060"]
    assert resolver.statistics()["callback_errors"] == 1
    caplog.clear()


def test_what_waits_when_it_is_closed_is_told(server: NameServer, make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(timeout=1.0)
    server.behaviour["a.example"] = [DROP] * 100
    answer = Answer()
    resolver.resolve(Wanted("a.example", port=5060), answer)
    resolver.close(timeout=0.0)
    assert isinstance(answer.result, TransportError)
    assert "closed" in str(answer.result)
    with pytest.raises(RuntimeError, match="make a new one"):
        resolver.resolve(Wanted("b.example", port=5060), answer)
    assert resolver.close(timeout=20.0)
    assert answer.count == 1


def test_memory_is_bounded(
    server: NameServer, resolver: Resolver, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    monkeypatch.setattr("transport.resolver._NAMES_REMEMBERED", 8)
    for number in range(40):
        clock.advance(1.0)
        error(resolver, Wanted(f"n{number}.example", port=5060))
        resolver.failed(Address("UDP", "192.0.2.1", number))
    assert resolver.statistics()["names_remembered"] <= 9
    clock.advance(100.0)
    resolver.failed(Address("UDP", "192.0.2.1", 5060))
    assert len(resolver._aside) == 1
    resolver.forget()
    assert resolver.statistics()["names_remembered"] == 0


def test_the_hosts_file_of_the_system_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "hosts"
    file.write_text("# a comment\n127.0.0.9 Here here.example # more\n::9 here\nnonsense\n\n")
    monkeypatch.setattr("transport.resolver._HOSTS_FILE", file)
    resolver = Resolver(nameservers=["127.0.0.1"], port=9)
    assert find(resolver, Wanted("here", port=5060)) == ["udp:127.0.0.9:5060", "udp:[::9]:5060"]
    assert resolver.close()


def test_the_callers_mistakes() -> None:
    with pytest.raises(ValueError, match="at least one is needed"):
        Resolver(threads=0)

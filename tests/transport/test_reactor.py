import os
import socket
import threading
from collections.abc import Callable

import pytest

from tests.transport.conftest import Bench, open_descriptors
from transport import Address, Flow, Reactor, TransportError

INVITE = b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n\r\n"


def nothing(*_: object) -> None:
    pass


def test_listen_resolves_port_0_and_takes_text(bench: Bench) -> None:
    address = bench.reactor.listen("udp:127.0.0.1:0")
    assert address.port > 0
    assert bench.reactor.addresses == (address,)


def test_listen_takes_a_name_of_this_machine(bench: Bench) -> None:
    assert bench.reactor.listen("udp:localhost:0").host in ("127.0.0.1", "::1")


def test_listen_says_what_is_wrong(bench: Bench) -> None:
    with pytest.raises(ValueError, match="neither an IP address nor a known name"):
        bench.reactor.listen("udp:nowhere.invalid:0")
    taken = bench.listen()
    with pytest.raises(OSError, match="in use"):
        bench.reactor.listen(taken)
    with pytest.raises(KeyError, match=r"nothing listens on udp:127\.0\.0\.1:9"):
        bench.reactor.close(Address("UDP", "127.0.0.1", 9))


def test_several_sockets_share_a_port_when_asked_to(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    other = make_bench()
    address = bench.reactor.listen("udp:127.0.0.1:0", reuse_port=True)
    assert other.reactor.listen(address, reuse_port=True) == address


def test_sockets_come_and_go_while_it_runs(no_descriptor_leak: None) -> None:
    heard = threading.Event()
    reactor = Reactor(lambda batch: heard.set(), nothing)
    reactor.start()
    first = reactor.listen("udp:127.0.0.1:0")
    for _ in range(20):
        second = reactor.listen("udp:127.0.0.1:0")
        heard.clear()
        reactor.send(reactor.flow_to(second, local=first), INVITE)
        assert heard.wait(10.0)
        reactor.close(second)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", second.port))
    assert reactor.addresses == (first,)
    assert reactor.stop()


def test_flow_to_chooses_a_socket_of_the_right_family(bench: Bench) -> None:
    four, six = bench.listen("udp:127.0.0.1:0"), bench.listen("udp:[::1]:0")
    assert bench.reactor.flow_to(Address("UDP", "127.0.0.9", 5060)).local == four
    assert bench.reactor.flow_to(Address("UDP", "::1", 5060)).local == six


def test_flow_to_prefers_the_socket_that_the_kernel_would_send_from(bench: Bench) -> None:
    bench.listen("udp:127.0.0.2:0")
    wildcard = bench.listen("udp:0.0.0.0:0")
    assert bench.reactor.flow_to(Address("UDP", "127.0.0.9", 5060)).local == wildcard
    exact = bench.listen("udp:127.0.0.1:0")
    assert bench.reactor.flow_to(Address("UDP", "127.0.0.9", 5060)).local == exact
    assert bench.reactor.flow_to(Address("UDP", "127.0.0.9", 5060), local=wildcard).local == wildcard


def test_flow_to_says_what_is_missing(bench: Bench) -> None:
    with pytest.raises(TransportError, match="listen on UDP over IPv4 first"):
        bench.reactor.flow_to(Address("UDP", "127.0.0.1", 5060))
    address = bench.listen()
    with pytest.raises(TransportError, match="listen on UDP over IPv6 first"):
        bench.reactor.flow_to(Address("UDP", "::1", 5060))
    with pytest.raises(ValueError, match="resolve the name first"):
        bench.reactor.flow_to(Address("UDP", "example.com", 5060))
    with pytest.raises(TransportError, match=r"nothing listens on udp:127\.0\.0\.1:9"):
        bench.reactor.flow_to(address, local=Address("UDP", "127.0.0.1", 9))


def test_statistics_tell_the_buffers_that_were_granted(bench: Bench) -> None:
    assert bench.count("receive_buffer_granted") == 0
    bench.listen()
    assert bench.count("receive_buffer_granted") > 0
    assert bench.count("send_buffer_granted") > 0
    assert bench.count("sockets") == 1
    assert all(type(value) is int for value in bench.reactor.statistics().values())


def test_stop_gives_every_descriptor_back(no_descriptor_leak: None) -> None:
    for turned_by_hand in (True, False):
        reactor = Reactor(nothing, nothing)
        for text in ("udp:127.0.0.1:0", "udp:[::1]:0"):
            reactor.listen(text)
        if turned_by_hand:
            reactor.run_once(0.0)
        else:
            reactor.start()
        assert reactor.stop()
        assert reactor.stop()
        with pytest.raises(RuntimeError, match="make a new one"):
            reactor.listen("udp:127.0.0.1:0")


def test_stop_reports_a_callback_that_does_not_come_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    def received(batch: list[tuple[bytes, Flow]]) -> None:
        entered.set()
        leave.wait()

    reactor = Reactor(received, nothing)
    reactor.start()
    reactor.send(reactor.flow_to(reactor.listen("udp:127.0.0.1:0")), INVITE)
    assert entered.wait(10.0)
    assert reactor.stop(timeout=0.01) is False
    leave.set()
    assert reactor.stop(timeout=10.0) is True


def test_stop_may_be_called_from_a_callback() -> None:
    stopped: list[bool] = []
    called = threading.Event()

    def received(batch: list[tuple[bytes, Flow]]) -> None:
        stopped.append(reactor.stop())
        called.set()

    reactor = Reactor(received, nothing)
    reactor.start()
    reactor.send(reactor.flow_to(reactor.listen("udp:127.0.0.1:0")), INVITE)
    assert called.wait(10.0)
    assert stopped == [False], "the thread cannot have ended while it is inside the callback"
    assert reactor.stop()


def test_stop_ends_the_turns_of_an_application() -> None:
    """The thread that waits in run_once is woken, finishes its turn, and is told that it is over."""
    reactor = Reactor(nothing, nothing)
    reactor.listen("udp:127.0.0.1:0")
    turned, ended = threading.Event(), threading.Event()

    def application() -> None:
        try:
            while True:
                reactor.run_once(None)
                turned.set()
        except RuntimeError:
            ended.set()

    thread = threading.Thread(target=application)
    thread.start()
    assert turned.wait(10.0)
    assert reactor.stop()
    assert ended.wait(10.0)
    thread.join()
    assert reactor.addresses == ()


def test_it_is_turned_by_its_thread_or_by_the_application_not_both() -> None:
    reactor = Reactor(nothing, nothing)
    reactor.start()
    with pytest.raises(RuntimeError, match="already started"):
        reactor.start()
    with pytest.raises(RuntimeError, match="own thread"):
        reactor.run_once(0.0)
    assert reactor.stop()


def test_wake_ends_a_wait(bench: Bench) -> None:
    bench.reactor.wake()
    bench.reactor.run_once(None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_leaves_the_parents_sockets_alone() -> None:
    heard = threading.Event()
    reactor = Reactor(lambda batch: heard.set(), nothing)
    address = reactor.listen("udp:127.0.0.1:0")
    reactor.run_once(0.0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            try:
                reactor.run_once(0.0)
            except RuntimeError:
                before = open_descriptors()
                reactor.stop()
                status = 0 if open_descriptors() == before - 4 else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    reactor.start()
    reactor.send(reactor.flow_to(address), INVITE)
    assert heard.wait(10.0), "the child took the parent's socket out of its interest list"
    assert reactor.stop()

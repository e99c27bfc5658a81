"""The public face over loopback sockets: life, calls, statistics, and what a caller of it may do wrong."""

import logging
import queue
import socket
import threading
from typing import Any

import pytest

from dum import (
    Call,
    DialogUsageManager,
    Ended,
    Established,
    Event,
    IncomingCall,
    Profile,
    Progress,
    Terminated,
    Timing,
)
from dum.message import Response, parse

PATIENCE = 20.0
OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
QUICK = Timing(t1=0.05, t2=0.2, t4=0.2)


def answering(**more: Any) -> DialogUsageManager:
    """A manager that takes every call."""
    manager = DialogUsageManager(**more)

    @manager.on(IncomingCall)
    def answer(call: Call) -> None:
        call.ring()
        call.answer(OFFER)

    return manager


def target(manager: DialogUsageManager) -> str:
    address = manager.addresses[0]
    return f"sip:bob@{f'[{address.host}]' if address.is_ipv6 else address.host}:{address.port}"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_a_call(workers: int) -> None:
    with answering(workers=workers) as server, DialogUsageManager(workers=workers) as client:
        call = client.call(target(server), offer=OFFER)
        call.wait_established(PATIENCE)
        assert call.remote_body == OFFER
        assert client.statistics()["calls"] == 1
        call.end()
        assert call.wait_ended(PATIENCE).status == 200
        assert client.statistics()["calls"] == 0


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_a_call_over_ipv6() -> None:
    listen = ["udp:[::1]:0"]
    with answering(listen=listen) as server, DialogUsageManager(listen=listen) as client:
        call = client.call(target(server), offer=OFFER)
        call.wait_established(PATIENCE)
        call.end()
        assert call.wait_ended(PATIENCE).status == 200


def test_both_families_at_once() -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    both = ["udp:127.0.0.1:0", "udp:[::1]:0"]
    with answering(listen=["udp:[::1]:0"]) as server, DialogUsageManager(listen=both) as client:
        call = client.call(target(server), offer=OFFER)
        call.wait_established(PATIENCE)
        call.end()


def test_the_peer_ends_the_call() -> None:
    server = answering()
    told: queue.Queue[Event] = queue.Queue()

    @server.on(Established)
    def end(call: Call) -> None:
        call.end()

    client = DialogUsageManager()
    for kind in (Progress, Established, Ended):
        client.on(kind)(lambda call, event: told.put(event))
    with server, client:
        call = client.call(target(server), offer=OFFER)
        events = [told.get(timeout=PATIENCE) for _ in range(3)]
    assert [type(event) for event in events] == [Progress, Established, Ended]
    assert events[2] == Ended(call, 200, True, "bye")


def test_a_cancelled_call() -> None:
    server, rings = DialogUsageManager(), threading.Event()

    @server.on(IncomingCall)
    def ring(call: Call) -> None:
        call.ring()

    client = DialogUsageManager()
    client.on(Progress)(lambda call: rings.set())
    with server, client:
        call = client.call(target(server))
        assert rings.wait(PATIENCE)
        call.end()
        assert call.wait_ended(PATIENCE) == Ended(call, 487, False, "cancelled")
        with pytest.raises(Terminated):
            call.answer()
        with pytest.raises(Terminated, match="487"):
            call.wait_established(PATIENCE)


def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with DialogUsageManager(profile=Profile(timing=QUICK)) as client:
        ended = client.call(f"sip:bob@127.0.0.1:{port}").wait_ended(PATIENCE)
        assert (ended.status, ended.why) in ((503, "transport"), (408, "no answer"))


def test_nobody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with DialogUsageManager(profile=Profile(timing=QUICK)) as client:
            call = client.call(f"sip:bob@127.0.0.1:{silent.getsockname()[1]}")
            assert call.wait_ended(PATIENCE) == Ended(call, 408, False, "no answer")
            assert client.statistics()["retransmissions"] == 6


def test_a_handler_that_raises_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    server, ran = DialogUsageManager(workers=1), threading.Event()

    @server.on(IncomingCall)
    def fail(call: Call) -> None:
        raise RuntimeError("a mistake of the application")

    @server.on(IncomingCall)
    def leave(call: Call) -> None:
        raise SystemExit

    @server.on(IncomingCall)
    def answer(call: Call) -> None:
        call.answer(OFFER)
        ran.set()

    with caplog.at_level(logging.ERROR), server, DialogUsageManager() as client:
        for _ in range(2):
            call = client.call(target(server), offer=OFFER)
            call.wait_established(PATIENCE)
            call.end()
            call.wait_ended(PATIENCE)
        assert server.statistics()["handler_errors"] == 4
    assert ran.is_set()
    assert caplog.text.count("a handler for IncomingCall of") == 4
    assert call.call_id in caplog.text


def test_a_handler_that_blocks_stops_no_other_call() -> None:
    """One worker, three handlers that block: the fourth call is answered all the same."""
    server = DialogUsageManager(workers=1)
    blocked, released = threading.Semaphore(0), threading.Event()

    @server.on(IncomingCall)
    def answer(call: Call, event: IncomingCall) -> None:
        if event.request.uri.user == "block":
            blocked.release()
            assert released.wait(PATIENCE)
        call.answer(OFFER)

    with server, DialogUsageManager() as client:
        place = target(server)
        waiting = [client.call(place.replace("bob", "block"), offer=OFFER) for _ in range(3)]
        for _ in waiting:
            assert blocked.acquire(timeout=PATIENCE)
        call = client.call(place, offer=OFFER)
        call.wait_established(PATIENCE)
        released.set()
        for one in (*waiting, call):
            one.wait_established(PATIENCE)
            one.end()
            one.wait_ended(PATIENCE)


def test_stop_ends_running_calls_with_a_bye() -> None:
    with answering() as server:
        client = DialogUsageManager()
        client.start()
        calls = [client.call(target(server), offer=OFFER) for _ in range(5)]
        for call in calls:
            call.wait_established(PATIENCE)
        assert client.stop(PATIENCE) is True
        for call in calls:
            assert call.wait_ended(0.0) == Ended(call, 200, False, "bye")
        assert client.stop() is True


def test_calls_while_it_stops_are_refused_with_503() -> None:
    """It finishes what runs, for as long as it was given, and takes nothing new."""
    server = answering()
    server.start()
    with DialogUsageManager() as client:
        running = client.call(target(server), offer=OFFER)
        running.wait_established(PATIENCE)
        stopped: queue.Queue[bool] = queue.Queue()
        stopping = threading.Thread(target=lambda: stopped.put(server.stop(PATIENCE, finish=PATIENCE)))
        stopping.start()
        statuses = set()
        while 503 not in statuses:
            late = client.call(target(server), offer=OFFER)
            try:
                late.wait_established(PATIENCE)
            except Terminated:
                statuses.add(late.wait_ended(0.0).status)
            late.end()
        assert running.is_established
        running.end()
        assert stopped.get(timeout=PATIENCE) is True
        stopping.join()
        with pytest.raises(RuntimeError, match="has been stopped"):
            server.call(target(client))


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:5060", "udp:127.0.0.1:x", "sctp:127.0.0.1:5060", "udp:127.0.0.1:70000", "udp::5060", ""]
)
def test_an_address_that_cannot_be_read(listen: str) -> None:
    with pytest.raises(ValueError, match=r"address|host|port"):
        DialogUsageManager(listen=[listen])


def test_an_address_that_is_taken() -> None:
    with DialogUsageManager() as one, pytest.raises(OSError):  # noqa: PT011  the system's words
        DialogUsageManager(listen=[str(one.addresses[0])])


def test_a_number_of_workers_below_none() -> None:
    with pytest.raises(ValueError, match="workers must be 0"):
        DialogUsageManager(workers=-1)


@pytest.mark.parametrize("kind", [int, Event(None), "IncomingCall", None])
def test_handlers_are_for_events(kind: Any) -> None:
    manager = DialogUsageManager()
    with pytest.raises(TypeError, match="event type such as IncomingCall"):
        manager.on(kind)
    manager.stop()


def test_a_handler_has_to_be_callable() -> None:
    manager = DialogUsageManager()
    with pytest.raises(TypeError):
        manager.on(IncomingCall)(3)  # type: ignore[type-var]
    manager.stop()


@pytest.mark.parametrize(
    "uri",
    ["", "bob", "tel:+1", "sip:", "sip:bob@", "http://127.0.0.1/", "sip:bob@127.0.0.1:99999", "sip:b b@127.0.0.1"],
)
def test_a_target_that_no_request_can_be_sent_to(uri: str) -> None:
    with DialogUsageManager() as manager:
        with pytest.raises(ValueError, match=r"."):
            manager.call(uri)
        assert manager.statistics()["calls"] == 0


def test_a_transport_that_is_not_listened_on() -> None:
    with DialogUsageManager() as manager, pytest.raises(ValueError, match="no socket listens for"):
        manager.call("sip:bob@127.0.0.1;transport=tcp")


def test_a_header_field_that_would_break_the_message() -> None:
    with answering() as server, DialogUsageManager() as client:
        with pytest.raises(ValueError, match=r"."):
            client.call(target(server), fields=[("Subject", "one\r\nEvil: two")])
        assert client.statistics()["calls"] == 0


def test_its_life_has_one_beginning_and_one_end() -> None:
    manager = DialogUsageManager()
    with pytest.raises(RuntimeError, match="start the manager"):
        manager.call("sip:bob@127.0.0.1")
    manager.start()
    with pytest.raises(RuntimeError, match="started before"):
        manager.start()
    assert manager.stop() is True
    assert manager.stop() is True
    with pytest.raises(RuntimeError, match="started before"):
        manager.start()


def test_one_that_was_never_started_stops() -> None:
    manager = DialogUsageManager()
    assert manager.stop() is True


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with answering() as server, DialogUsageManager() as client:
        client.call(target(server), offer=OFFER).wait_established(PATIENCE)
    assert {thread for thread in threading.enumerate() if thread not in before} == set()


def test_options_are_answered_outside_a_dialog() -> None:
    with answering() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(PATIENCE)
        place = target(server)
        peer.sendto(
            f"OPTIONS {place} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@b>;tag=1\r\nTo: <{place}>\r\nCall-ID: options\r\nCSeq: 1 OPTIONS\r\n\r\n".encode(),
            ("127.0.0.1", server.addresses[0].port),
        )
        response = parse(peer.recv(65536))
        assert isinstance(response, Response)
        assert response.status == 200
        assert set(response.headers("Allow")) >= {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"}
        assert response.headers("Accept") == ("application/sdp",)


def test_statistics_name_what_is_held_and_what_passed() -> None:
    with answering() as server, DialogUsageManager() as client:
        call = client.call(target(server), offer=OFFER)
        call.wait_established(PATIENCE)
        found = client.statistics()
        assert found["calls"] == 1
        assert found["threads"] >= 3
        assert found["datagrams_out"] >= 2
        assert found["datagrams_in"] >= 1
        assert all(isinstance(value, int) for value in found.values())

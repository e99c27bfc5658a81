import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.transport.conftest import VirtualClock
from transport import Address, Flow, Limits, TransportError
from transport.loop import READ, Batch, Loop

FLOW = Flow(
    Address.parse("udp:127.0.0.1:1"),
    Address.parse("udp:127.0.0.1:2"),
    None,  # type: ignore[arg-type]
    ("127.0.0.1", 2),
)


class Heard:
    """What a loop handed up, in order."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.clock = VirtualClock()
        self.raise_next = False

    def received(self, batch: Batch) -> None:
        if self.raise_next:
            self.raise_next = False
            raise LookupError("the application is wrong")
        self.events.append([data for data, _ in batch])

    def failed(self, flow: Flow, error: TransportError) -> None:
        if self.raise_next:
            self.raise_next = False
            raise LookupError("the application is wrong")
        self.events.append(error.cause)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def loop(heard: Heard) -> Iterator[Loop]:
    loop = Loop(heard.received, heard.failed, limits=Limits(batch=3), clock=heard.clock)
    yield loop
    loop.close()


class Reader:
    """Calls a function when its descriptor is ready."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def ready(self, events: int) -> None:
        self.function()


def test_messages_of_one_turn_are_handed_up_together(loop: Loop, heard: Heard) -> None:
    loop.post(lambda: loop.deliver([(b"one", FLOW)]))
    loop.post(lambda: loop.deliver([(b"two", FLOW)]))
    assert loop.run_once(0.0)
    assert heard.events == [[b"one", b"two"]]


def test_a_batch_is_handed_up_when_it_is_full(loop: Loop, heard: Heard) -> None:
    for data in (b"1", b"2", b"3", b"4"):
        loop.post(lambda data=data: loop.deliver([(data, FLOW)]))  # type: ignore[misc]
    loop.run_once(0.0)
    assert heard.events == [[b"1", b"2", b"3"], [b"4"]]


def test_a_failure_comes_after_the_messages_before_it(loop: Loop, heard: Heard) -> None:
    loop.post(lambda: loop.deliver([(b"before", FLOW)]))
    loop.post(lambda: loop.fail(FLOW, TransportError("reset", "gone")))
    loop.post(lambda: loop.deliver([(b"after", FLOW)]))
    loop.run_once(0.0)
    assert heard.events == [[b"before"], "reset", [b"after"]]
    assert loop.tally.total()["failed_reset"] == 1


def test_posts_are_called_in_order_and_a_post_of_a_post_in_the_next_turn(loop: Loop) -> None:
    called: list[str] = []
    loop.post(lambda: called.append("first"))
    loop.post(lambda: loop.post(lambda: called.append("third")))
    loop.post(lambda: called.append("second"))
    loop.run_once(0.0)
    assert called == ["first", "second"]
    loop.run_once(None)
    assert called == ["first", "second", "third"]


def test_what_raises_is_logged_and_counted_and_nothing_else_suffers(
    loop: Loop, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong() -> None:
        raise LookupError("the application is wrong")

    called: list[str] = []
    loop.post(wrong)
    loop.post(lambda: called.append("posted after"))
    loop.deadlines.set("wrong", 0.0, wrong)
    loop.deadlines.set("right", 1.0, lambda: called.append("due after"))
    with caplog.at_level(logging.CRITICAL + 1, "transport"):
        loop.run_once(0.0)
        heard.raise_next = True
        loop.post(lambda: loop.deliver([(b"lost", FLOW)]))
        loop.run_once(0.0)
        heard.raise_next = True
        loop.post(lambda: loop.fail(FLOW, TransportError("reset", "gone")))
        loop.run_once(0.0)
    assert called == ["posted after", "due after"]
    assert loop.tally.total()["callback_errors"] == 4
    loop.post(lambda: loop.deliver([(b"next", FLOW)]))
    loop.run_once(0.0)
    assert heard.events == [[b"next"]]


def test_a_handler_that_raises_is_counted(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    reading, writing = os.pipe()

    def wrong() -> None:
        os.read(reading, 1)
        raise LookupError("a bug")

    loop.watch(reading, READ, Reader(wrong))
    os.write(writing, b"x")
    with caplog.at_level(logging.CRITICAL + 1, "transport"):
        assert loop.run_once(0.0)
    assert loop.tally.total()["callback_errors"] == 1
    loop.unwatch(reading)
    loop.unwatch(reading)
    os.close(reading)
    os.close(writing)


def test_watching_again_replaces_the_handler(loop: Loop) -> None:
    reading, writing = os.pipe()
    called: list[str] = []
    loop.watch(reading, READ, Reader(lambda: called.append("first")))
    loop.watch(reading, READ, Reader(lambda: called.append("second")))
    os.write(writing, b"x")
    loop.run_once(0.0)
    assert called == ["second"]
    loop.unwatch(reading)
    os.close(reading)
    os.close(writing)


def test_deadlines_are_called_when_due(loop: Loop, heard: Heard) -> None:
    called: list[float] = []
    loop.deadlines.set("one", heard.clock.now + 5.0, lambda: called.append(heard.clock.now))
    assert loop.run_once(0.0) is False
    heard.clock.advance(5.0)
    assert loop.run_once(None) is True
    assert called == [1005.0]


def test_each_turn_is_asked_at_every_turn_and_when_it_wanted(heard: Heard) -> None:
    asked: list[float] = []

    def each_turn() -> float | None:
        asked.append(heard.clock.now)
        return heard.clock.now + 10.0 if len(asked) == 1 else None

    loop = Loop(heard.received, heard.failed, limits=Limits(), clock=heard.clock, each_turn=each_turn)
    loop.wake()
    loop.run_once(None)
    heard.clock.advance(10.0)
    loop.run_once(None)  # would wait for ever if the wish had been forgotten
    assert asked == [1000.0, 1010.0]
    assert loop._next_turn is None
    loop.close()


def test_wake_ups_are_coalesced(loop: Loop) -> None:
    for _ in range(100_000):
        loop.wake()
    assert loop.run_once(None) is True
    assert loop.run_once(0.0) is False


def test_no_post_is_lost_between_threads(loop: Loop) -> None:
    count, threads = 2000, 4
    done: list[int] = []
    barrier = threading.Barrier(threads)

    def poster() -> None:
        barrier.wait()
        for number in range(count):
            loop.post(lambda number=number: done.append(number))  # type: ignore[misc]

    running = [threading.Thread(target=poster) for _ in range(threads)]
    for thread in running:
        thread.start()
    while len(done) < count * threads:
        loop.run_once(10.0)
    for thread in running:
        thread.join()
    assert sorted(done) == sorted(list(range(count)) * threads)


def test_call_returns_when_it_is_done_whoever_turns_the_loop(loop: Loop) -> None:
    called: list[str] = []
    loop.call(lambda: called.append("nobody turns it"))
    loop.post(lambda: loop.call(lambda: called.append("inside a turn")))
    loop.run_once(0.0)

    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            loop.run_once(None)

    thread = threading.Thread(target=turn)
    thread.start()
    loop.call(lambda: called.append("another thread turns it"))
    stop.set()
    loop.wake()
    thread.join()
    assert called == ["nobody turns it", "inside a turn", "another thread turns it"]


def test_retiring_a_socket_without_descriptors_left_closes_it(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(**_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    used = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    monkeypatch.setattr(socket, "socketpair", exhausted)
    loop.retire(used)
    assert used.fileno() == -1
    assert loop.deadlines.next() is None


def test_a_closed_loop_cannot_be_turned(heard: Heard) -> None:
    loop = Loop(heard.received, heard.failed, limits=Limits())
    loop.close()
    loop.wake()
    with pytest.raises(RuntimeError, match="make a new one"):
        loop.run_once(0.0)

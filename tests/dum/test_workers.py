"""The pool of threads: messages and timers reach the stack, and handlers that block or fail stop nobody else."""

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from dum.runner import Timer, lane_of
from dum.stack import Stack
from dum.workers import Workers
from transport import Deadlines

PATIENCE = 20.0
WATCHER = "dum watch"


class Recorder:
    """Stands in for the stack: notes what it is given, and by which thread."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[bytes, str]] = queue.Queue()
        self.fired: queue.Queue[Timer] = queue.Queue()

    def receive(self, data: bytes, flow: Any) -> None:
        self.received.put((data, threading.current_thread().name))

    def fire(self, timer: Timer) -> None:
        self.fired.put(timer)


class Watched:
    """A clock that stands still for everyone, except that each look of the watcher comes a second later."""

    def __init__(self) -> None:
        self.now = 1.0
        self.looks = threading.Semaphore(0)

    def __call__(self) -> float:
        if threading.current_thread().name == WATCHER:
            self.now += 1.0
            self.looks.release()
        return self.now

    def wait_for_looks(self, number: int) -> None:
        """Wait until the watcher has looked this often from now on."""
        while self.looks.acquire(blocking=False):
            pass
        for _ in range(number):
            assert self.looks.acquire(timeout=PATIENCE)


class Blocker:
    """A handler that says when it has begun and does not return before it may."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()
        self.left = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.released.wait(PATIENCE)
        self.left.set()


@contextmanager
def working(seats: int = 1, *, spare_threads: int = 256, clock: Any = None) -> Iterator[tuple[Workers, Recorder]]:
    recorder = Recorder()
    deadlines = [Deadlines[Timer]() for _ in range(seats)]
    more = {} if clock is None else {"clock": clock}
    workers = Workers(cast(Stack, recorder), deadlines, spare_threads=spare_threads, **more)
    workers.start()
    try:
        yield workers, recorder
    finally:
        assert workers.stop(PATIENCE)


def call_id_of(data: bytes) -> bytes:
    return data.partition(b" ")[0]


def test_messages_of_a_call_id_come_to_one_seat_in_order() -> None:
    batch = [(b"%d %d" % (call, number), None) for number in range(20) for call in range(5)]
    with working(3) as (workers, recorder):
        workers.received(batch, call_id_of)
        got = [recorder.received.get(timeout=PATIENCE) for _ in batch]
    for call in range(5):
        mine = [(data, thread) for data, thread in got if data.startswith(b"%d " % call)]
        assert [data for data, _ in mine] == [b"%d %d" % (call, number) for number in range(20)]
        assert {thread for _, thread in mine} == {f"dum worker {lane_of(str(call)) % 3}"}


def test_a_timer_set_by_another_thread_is_fired() -> None:
    recorder = Recorder()
    shard = Deadlines[Timer]()
    workers = Workers(cast(Stack, recorder), [shard])
    workers.start()
    timer = (0, "key", "A", 0)
    if shard.set("key", 0.0, timer):
        workers.woken(0)
    assert recorder.fired.get(timeout=PATIENCE) == timer
    assert workers.stop(PATIENCE)


def test_a_handler_that_blocks_leaves_its_seat_to_another_thread() -> None:
    blocker, done = Blocker(), threading.Event()
    with working() as (workers, recorder):
        workers.schedule(0, blocker)
        assert blocker.entered.wait(PATIENCE)
        workers.schedule(0, done.set)
        workers.received([(b"call message", None)], call_id_of)
        assert done.wait(PATIENCE)
        assert recorder.received.get(timeout=PATIENCE)[0] == b"call message"
        assert not blocker.left.is_set()
        assert workers.thread_count() == 3
        blocker.released.set()
    assert blocker.left.is_set()


def test_a_thread_that_comes_back_to_a_seat_taken_over_ends() -> None:
    blocker, done = Blocker(), threading.Event()
    with working() as (workers, _):
        workers.schedule(0, blocker)
        assert blocker.entered.wait(PATIENCE)
        (seated,) = [thread for thread in threading.enumerate() if thread.name == "dum worker 0"]
        workers.schedule(0, done.set)
        assert done.wait(PATIENCE)
        blocker.released.set()
        seated.join(PATIENCE)
        assert not seated.is_alive()
        assert workers.thread_count() == 2


def test_a_second_handler_may_block_after_the_first_came_back() -> None:
    """The thread that comes back must not make the watcher blind for the one that sits in its seat."""
    first, second, done = Blocker(), Blocker(), threading.Event()
    with working() as (workers, _):
        workers.schedule(0, first)
        assert first.entered.wait(PATIENCE)
        workers.schedule(0, second)
        assert second.entered.wait(PATIENCE)
        first.released.set()
        assert first.left.wait(PATIENCE)
        workers.schedule(0, done.set)
        assert done.wait(PATIENCE)
        second.released.set()


def test_spare_threads_are_bounded() -> None:
    """With two of them, three handlers of one seat may block at once; the fourth waits until one returns."""
    clock = Watched()
    blockers = [Blocker() for _ in range(4)]
    with working(spare_threads=2, clock=clock) as (workers, _):
        for blocker in blockers:
            workers.schedule(0, blocker)
        for blocker in blockers[:3]:
            assert blocker.entered.wait(PATIENCE)
        clock.wait_for_looks(5)
        assert not blockers[3].entered.is_set()
        assert workers.thread_count() == 4
        for blocker in blockers:
            blocker.released.set()
        assert blockers[3].entered.wait(PATIENCE)


def test_spare_threads_are_given_back() -> None:
    with working(spare_threads=1) as (workers, _):
        for _ in range(3):
            blocker, done = Blocker(), threading.Event()
            workers.schedule(0, blocker)
            assert blocker.entered.wait(PATIENCE)
            workers.schedule(0, done.set)
            assert done.wait(PATIENCE)
            seated = [thread for thread in threading.enumerate() if thread.name == "dum worker 0"]
            blocker.released.set()
            assert blocker.left.wait(PATIENCE)
            while len([thread for thread in seated if thread.is_alive()]) > 1:
                seated[0].join(0.01)


@pytest.mark.parametrize("raised", [RuntimeError("a bug below the handlers"), SystemExit(1)])
def test_a_worker_that_ends_is_logged_and_its_seat_taken(
    raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def bug() -> None:
        raise raised

    done = threading.Event()
    with caplog.at_level(logging.ERROR), working() as (workers, _):
        workers.schedule(0, bug)
        workers.schedule(0, done.set)
        assert done.wait(PATIENCE)
    assert "its seat is taken over" in caplog.text


def test_stop_with_a_blocked_handler_returns_false_in_time() -> None:
    blocker = Blocker()
    workers = Workers(cast(Stack, Recorder()), [Deadlines[Timer]()])
    workers.start()
    workers.schedule(0, blocker)
    assert blocker.entered.wait(PATIENCE)
    assert workers.stop(0.1) is False
    blocker.released.set()
    assert workers.stop(PATIENCE) is True


def test_the_watcher_does_not_spin_while_a_handler_blocks() -> None:
    """Its alarm raised once too often, by a worker that began when the watcher awoke, is not left ringing."""
    clock = Watched()
    blocker = Blocker()
    with working(spare_threads=0, clock=clock) as (workers, _):
        workers.schedule(0, blocker)
        assert blocker.entered.wait(PATIENCE)
        clock.wait_for_looks(2)
        workers._alarm.set()
        clock.wait_for_looks(2)
        assert not workers._alarm.is_set()
        blocker.released.set()


def test_queue_ages() -> None:
    with working(2) as (workers, _):
        assert len(workers.queue_ages()) == 2
        assert all(age >= 0.0 for age in workers.queue_ages())

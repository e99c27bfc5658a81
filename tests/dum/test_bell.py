"""The bell: no ring that comes after `listen` is slept through, and none before it wakes anybody."""

import threading

import pytest

from dum.bell import Bell


def test_a_ring_after_listen_ends_the_sleep_at_once() -> None:
    bell = Bell()
    bell.listen()
    bell.ring()
    bell.sleep(None)


def test_a_ring_that_nobody_listens_to_is_forgotten() -> None:
    bell = Bell()
    bell.ring()
    bell.listen()
    sleeper = threading.Thread(target=bell.sleep, args=(None,))
    sleeper.start()
    assert sleeper.is_alive()
    bell.ring()
    sleeper.join(30)
    assert not sleeper.is_alive()


def test_a_sleep_ends_with_its_time() -> None:
    bell = Bell()
    bell.listen()
    bell.sleep(0.001)
    bell.listen()
    bell.sleep(-1.0)


def test_many_rings_of_many_threads_are_one_wake_up() -> None:
    bell = Bell()
    for _ in range(100):
        bell.listen()
        ringers = [threading.Thread(target=bell.ring) for _ in range(4)]
        for ringer in ringers:
            ringer.start()
        bell.sleep(30)
        for ringer in ringers:
            ringer.join()


def test_a_wake_up_is_passed_on_to_the_thread_that_it_was_meant_for() -> None:
    bell = Bell()

    def sleep_and_pass_on() -> None:
        bell.sleep(30)
        bell.pass_on()

    bell.listen()
    sleepers = [threading.Thread(target=sleep_and_pass_on) for _ in range(2)]
    for sleeper in sleepers:
        sleeper.start()
    bell.ring()
    for sleeper in sleepers:
        sleeper.join(20)
    assert not any(sleeper.is_alive() for sleeper in sleepers)


@pytest.mark.parametrize("with_eventfd", [True, False])
def test_it_works_on_systems_without_eventfd(with_eventfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_eventfd:
        monkeypatch.delattr("os.eventfd", raising=False)
    bell = Bell()
    for _ in range(3):
        bell.listen()
        bell.ring()
        bell.sleep(None)

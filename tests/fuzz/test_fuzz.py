"""A short turn of the fuzzer with a fixed seed; ``python -m tests.fuzz SECONDS`` is the long one."""

import random
import time

import pytest

from tests.fuzz.engine import Coverage, Find, attempt, explore, mutate, seeds
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_hundred_mutations_find_nothing(name: str) -> None:
    runs = explore(TARGETS[name], seeds()[::5], Coverage(()), lambda runs: runs < 300, seed=4475)
    assert runs == 300


def test_a_target_that_raises_is_found_with_its_input() -> None:
    def target(data: bytes) -> None:
        assert b"\r\n " not in data

    with pytest.raises(Find, match="AssertionError") as caught:
        explore(target, [b"a\r\nb"], Coverage(()), lambda runs: runs < 50_000, seed=1)
    assert b"\r\n " in caught.value.data


def test_a_target_that_takes_too_long_is_found() -> None:
    def spin(data: bytes) -> None:
        end = time.thread_time() + len(data)
        while time.thread_time() < end:
            pass

    with pytest.raises(Find, match="processor time"):
        attempt(spin, b"12")


def test_choices_depend_on_the_seed_alone() -> None:
    made = [mutate(b"INVITE", b"other", random.Random(7)) for _ in range(2)]
    assert made[0] == made[1]

"""The shared locks."""

from stm.guard import GUARDS, Guard, guard_for
from stm.waiting import Sleeper


def test_a_number_has_one_guard() -> None:
    assert guard_for(123456) is guard_for(123456)
    assert {guard_for(number) for number in range(100_000)} == set(GUARDS)
    assert guard_for(-1) in GUARDS


def test_names_are_put_down_and_taken_off() -> None:
    guard, sleeper = Guard(), Sleeper()
    guard.enlist(1, sleeper)
    guard.dismiss(2, sleeper)
    assert guard.sleepers == {1: [sleeper]}
    guard.dismiss(1, sleeper)
    assert guard.sleepers is None

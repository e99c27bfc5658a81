"""The timer values of RFC 3261 table 4 and RFC 6026."""

import pytest

from dum.timers import RFC3261, Timing


def test_the_defaults_are_table_4() -> None:
    assert (RFC3261.t1, RFC3261.t2, RFC3261.t4) == (0.5, 4, 5)
    values = {letter: getattr(RFC3261, f"timer_{letter}") for letter in "bcdfhijklm"}
    assert values == {"b": 32, "c": 180, "d": 32, "f": 32, "h": 32, "i": 5, "j": 32, "k": 5, "l": 32, "m": 32}


def test_everything_follows_from_t1_and_t4() -> None:
    timing = Timing(t1=1, t2=8, t4=6)
    values = {letter: getattr(timing, f"timer_{letter}") for letter in "bdfhijklm"}
    assert values == {"b": 64, "d": 64, "f": 64, "h": 64, "i": 6, "j": 64, "k": 6, "l": 64, "m": 64}


def test_timer_d_never_falls_below_32_seconds() -> None:
    assert Timing(t1=0.1).timer_d == 32


def test_intervals_double_with_and_without_a_limit() -> None:
    assert [RFC3261.doubled(n) for n in range(6)] == [0.5, 1, 2, 4, 8, 16]
    assert [RFC3261.doubled_to_t2(n) for n in range(6)] == [0.5, 1, 2, 4, 4, 4]


def test_an_interval_stays_a_number_however_often_it_doubles() -> None:
    assert RFC3261.doubled(10_000) == RFC3261.doubled(16)
    assert RFC3261.doubled_to_t2(10_000) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"t1": 0},
        {"t1": -1},
        {"t1": 5},
        {"t2": 0.1},
        {"t4": 0},
        {"timer_c": 0},
        {"t1": float("nan")},
        {"t2": float("inf")},
    ],
)
def test_wrong_values_are_refused_with_what_they_are(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="timers must be positive seconds with T2 >= T1"):
        Timing(**wrong)

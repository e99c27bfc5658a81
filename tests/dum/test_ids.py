"""Identifiers: enough random bits, the forms that RFC 3261 asks for, and none given out twice by any thread."""

import itertools
import re

from dum.ids import MAGIC_COOKIE, Fresh, Ids
from tests.support.hands import all_at_once


class Counting:
    """A source of bytes that repeats nothing: each eight of them are one higher than the eight before."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.calls = 0

    def __call__(self, count: int) -> bytes:
        self.calls += 1
        return b"".join(next(self.numbers).to_bytes(8) for _ in range(count // 8))


def test_what_a_step_may_use_up() -> None:
    fresh = Ids().fresh()
    assert re.fullmatch("[0-9a-f]{16}", fresh.tag)  # 19.3 asks for 32 bits; these are 64
    assert re.fullmatch("z9hG4bK[0-9a-f]{16}", fresh.branch)  # 8.1.1.7
    assert 0 <= fresh.initial_seq < 2**16  # 8.1.1.5: below 2**31, with room to count
    assert fresh.tag not in fresh.branch


def test_a_call_id_has_128_bits_and_no_host() -> None:
    assert re.fullmatch("[0-9a-f]{32}", Ids().call_id())


def test_more_branches_of_one_step() -> None:
    fresh = Fresh("tag", MAGIC_COOKIE + "1", 7)
    assert {fresh.branch_number(number) for number in range(100)}.isdisjoint({fresh.branch})
    assert fresh.branch_number(3) == "z9hG4bK1.3"


def test_a_repeatable_source_repeats() -> None:
    ids, again = Ids(Counting()), Ids(Counting())
    for _ in range(300):
        one, other = ids.fresh(), again.fresh()
        assert (one.tag, one.branch, one.initial_seq) == (other.tag, other.branch, other.initial_seq)


def test_bytes_are_drawn_in_batches() -> None:
    source = Counting()
    ids = Ids(source)
    for _ in range(640):
        ids.fresh()
    assert source.calls == 10


def test_no_identifier_is_given_out_twice_by_any_thread() -> None:
    ids = Ids()
    drawn: list[list[str]] = [[] for _ in range(8)]

    def draw(number: int) -> None:
        mine = drawn[number]
        for _ in range(2000):
            fresh = ids.fresh()
            mine += (fresh.tag, fresh.branch.removeprefix(MAGIC_COOKIE))

    all_at_once(*[lambda number=number: draw(number) for number in range(8)])
    everything = [digits for mine in drawn for digits in mine]
    assert len(everything) == len(set(everything)) == 8 * 2000 * 2

import random
import sys
import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from transport import Deadlines


def deadlines() -> Deadlines[str]:
    return Deadlines(lambda: 0.0)


def test_due_comes_in_time_order_and_ties_in_the_order_of_setting() -> None:
    shard = deadlines()
    for key, when in [("c", 3.0), ("a", 1.0), ("tie one", 2.0), ("tie two", 2.0), ("later", 9.0)]:
        shard.set(key, when, key.upper())
    assert shard.due(3.0, 10) == [("a", "A"), ("tie one", "TIE ONE"), ("tie two", "TIE TWO"), ("c", "C")]
    assert shard.due(3.0, 10) == []
    assert shard.next() == 9.0


def test_set_tells_whether_the_owner_must_be_woken() -> None:
    shard = deadlines()
    assert shard.set("first", 5.0, "") is True
    assert shard.set("later", 6.0, "") is False
    assert shard.set("sooner", 4.0, "") is True
    assert shard.set("same time", 4.0, "") is False


def test_set_replaces() -> None:
    shard = deadlines()
    shard.set("key", 1.0, "old")
    assert shard.set("key", 2.0, "new") is True
    assert len(shard) == 1
    assert shard.due(1.5, 10) == []
    assert shard.due(2.0, 10) == [("key", "new")]


def test_after_discarding_the_earliest_the_next_one_set_can_be_the_earliest() -> None:
    shard = deadlines()
    shard.set("discarded", 1.0, "")
    shard.set("other", 9.0, "")
    assert shard.discard("discarded") is True
    assert shard.next() == 9.0
    assert shard.set("new", 5.0, "") is True


def test_discard_tells_whether_it_came_in_time() -> None:
    shard = deadlines()
    shard.set("key", 1.0, "")
    assert shard.due(1.0, 10)
    assert shard.discard("key") is False
    assert shard.discard("never set") is False


def test_due_takes_at_most_the_limit() -> None:
    shard = deadlines()
    for number in range(10):
        shard.set(("key", number), 1.0, str(number))
    assert [item for _, item in shard.due(1.0, 3)] == ["0", "1", "2"]
    assert len(shard) == 7


def test_due_reads_the_clock_when_it_is_not_told_the_time() -> None:
    now = [0.0]
    shard: Deadlines[str] = Deadlines(lambda: now[0])
    shard.set("key", 1.0, "item")
    assert shard.due() == []
    now[0] = 1.0
    assert shard.due() == [("key", "item")]
    assert shard.next() is None


def test_the_memory_of_discarded_deadlines_is_given_back() -> None:
    shard = deadlines()
    for number in range(20_000):
        shard.set(("key", number), float(number), "")
    full = sys.getsizeof(shard._heap)
    for number in range(20_000):
        shard.discard(("key", number))
        if number % 1000 == 0:
            shard.check()
    assert len(shard) == 0
    assert len(shard._heap) <= 64
    assert sys.getsizeof(shard._heap) < full / 50


def test_a_discarded_item_is_not_kept() -> None:
    class Item:
        gone = False

        def __del__(self) -> None:
            Item.gone = True

    shard: Deadlines[Item] = Deadlines()
    shard.set("earliest", 1.0, Item())
    shard.set("key", 2.0, Item())
    Item.gone = False
    shard.discard("key")
    assert Item.gone


def test_clear_forgets_everything() -> None:
    shard = deadlines()
    shard.set("key", 1.0, "")
    shard.clear()
    assert (len(shard), shard.next(), shard.due(9.0, 9)) == (0, None, [])


def test_threads_set_and_discard_at_once() -> None:
    shard = deadlines()
    barrier = threading.Barrier(4)
    kept: list[set[object]] = [set() for _ in range(4)]

    def work(worker: int) -> None:
        chance = random.Random(worker)
        barrier.wait()
        for number in range(3000):
            key = (worker, number)
            shard.set(key, chance.random(), "")
            kept[worker].add(key)
            if chance.random() < 0.9:
                gone = kept[worker].pop()
                assert isinstance(gone, tuple)
                assert shard.discard(gone)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shard.check()
    expected = set().union(*kept)
    assert {key for key, _ in shard.due(2.0, 100_000)} == expected


class AgainstAModel(RuleBasedStateMachine):
    """Every operation against a plain dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.shard: Deadlines[int] = Deadlines(lambda: 0.0)
        self.model: dict[str, tuple[float, int]] = {}
        self.number = 0

    keys = st.sampled_from([f"key {number}" for number in range(40)])
    times = st.integers(0, 20).map(float)

    @rule(key=keys, when=times)
    def set(self, key: str, when: float) -> None:
        self.number += 1
        self.model.pop(key, None)
        earliest = all(when < other for other, _ in self.model.values())
        self.model[key] = (when, self.number)
        assert self.shard.set(key, when, self.number) is earliest

    @rule(key=keys)
    def discard(self, key: str) -> None:
        assert self.shard.discard(key) is (self.model.pop(key, None) is not None)

    @rule(now=times, limit=st.integers(1, 10))
    def due(self, now: float, limit: int) -> None:
        order = sorted((when, number, key) for key, (when, number) in self.model.items() if when <= now)
        expected = [(key, number) for _, number, key in order[:limit]]
        for key, _ in expected:
            del self.model[key]
        assert self.shard.due(now, limit) == expected

    @invariant()
    def agrees(self) -> None:
        self.shard.check()
        assert len(self.shard) == len(self.model)
        assert self.shard.next() == min((when for when, _ in self.model.values()), default=None)


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=60, stateful_step_count=80, deadline=None)

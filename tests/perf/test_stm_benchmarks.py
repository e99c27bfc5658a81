"""The memory's benchmarks measure what they say: their bodies do the work, their arithmetic is right."""

import subprocess
import sys
import threading
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from perf import (
    plot,
    stm_bars,
    stm_costs,
    stm_efficiency,
    stm_maps,
    stm_pauses,
    stm_profile,
    stm_queues,
    stm_throughput,
)
from perf.report import ROOT
from perf.stm_shapes import LOCKED, SHAPES, TRANSACTIONS, TWINS, Twin, memory
from perf.stm_throughput import Point
from stm import Ref, atomically, statistics

PLAIN_TWINS = [(name, twin) for name, twin in TWINS.items() if name != "atomix-stm"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "twin"), PLAIN_TWINS, ids=[name for name, _ in PLAIN_TWINS])
def test_a_twin_runs_every_shape(name: str, twin: Twin, shape: str) -> None:
    twin(shape)([tuple(range(SHAPES[shape][0]))])(3)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_memory_commits_as_many_transactions_as_asked(shape: str) -> None:
    body = memory(shape)([tuple(range(SHAPES[shape][0]))])
    before = statistics()["commits"]
    body(7)
    assert statistics()["commits"] - before == 7


@pytest.mark.parametrize("shape", SHAPES)
def test_the_memory_and_its_locked_twin_change_the_same_records(shape: str) -> None:
    count = SHAPES[shape][0]
    records = [Ref(5) for _ in range(count)]
    atomically(TRANSACTIONS[shape], *records)
    values = dict.fromkeys(range(count), 5)
    LOCKED[shape](threading.Lock(), values, *range(count))
    assert [record.peek() for record in records] == list(values.values())
    assert sum(value != 5 for value in values.values()) == SHAPES[shape][1]


@pytest.mark.parametrize("name", [name for name in stm_maps.MAPS if not name.startswith("cereggii")])
def test_the_steps_of_a_map_leave_it_empty(name: str) -> None:
    insert, look_up, remove = stm_maps.MAPS[name]()
    for _ in range(2):
        insert(range(10))
        look_up(range(10))
        remove(range(10))
    with pytest.raises(KeyError):
        remove([3])


@pytest.mark.parametrize("name", [name for name in stm_maps.MAPS if not name.startswith("cereggii")])
def test_a_map_comes_and_goes_for_throughput(name: str) -> None:
    stm_maps.TWINS[name]("map insert + remove")([(1,), (2,)])(10)
    stm_maps.TWINS[name]("map lookup")([(1,), (2,)])(10)


def test_draws_are_disjoint_skewed_or_hot() -> None:
    first, second = ({key for draw in stm_throughput.draws_of("disjoint", n, 32) for key in draw} for n in (0, 1))
    assert not first & second
    skewed = stm_throughput.draws_of("zipf", 1, 2)
    assert all(len(set(draw)) == 2 for draw in skewed)
    assert sum(0 in draw for draw in skewed) > sum(500 in draw for draw in skewed)
    hot = [stm_throughput.draws_of("hot", number, 2)[0] for number in range(3)]
    assert [draw[0] for draw in hot] == [0, 0, 0]
    assert len({draw[1] for draw in hot}) == 3


def test_a_window_counts_what_its_threads_did() -> None:
    rate, least = stm_throughput.window(memory("1r1w"), "hot", 1, 2, 0.01)
    assert rate > 0
    assert 0 <= least <= 1


def test_threads_report() -> None:
    wall, spent = stm_efficiency.in_threads(stm_efficiency.maker(memory, "1r1w"), 2, 100)
    assert wall > 0
    assert spent > 0


def test_processes_report() -> None:
    """In a process of its own, for fork and the threads that other tests leave behind do not go together."""
    program = (
        "from perf.stm_efficiency import in_processes, maker\n"
        "from perf.stm_shapes import memory\n"
        "print(*in_processes(maker(memory, '1r1w'), 2, 100))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    wall, spent = map(float, done.stdout.split())
    assert wall > 0
    assert spent > 0


@pytest.mark.parametrize("name", list(stm_queues.QUEUES))
def test_all_items_come_through(name: str) -> None:
    assert stm_queues.passing(stm_queues.QUEUES[name], 128, 2)[0] > 0


def test_a_sleeper_is_woken_by_every_commit() -> None:
    share, taken = stm_queues.sleeping(0.001, 3)
    assert share >= 0
    assert len(taken) == 3


def test_pauses_of_a_small_map() -> None:
    found = stm_pauses.one("stm.Map", 1000, True)
    assert found["insert_wall"] > 0
    assert found["insert_wall"] >= found["insert_cpu"] >= 0


def test_the_costs_bars_compare_medians() -> None:
    costs: stm_costs.Figures = {
        "1r1w": {"stm": [1.0, 2.0, 9.0], "atomix-stm": [40.0], stm_costs.INLINE: [0.05]},
        "2r2w": {"stm": [4.0], "atomix-stm": [40.0]},
    }
    assert [bar.reached for bar in stm_bars.cost_bars(costs)] == [True, False, False]
    assert "1.0 x" not in str(stm_bars.cost_bars(costs)[0])


def test_the_plot_is_well_formed_and_has_a_line_for_each_twin() -> None:
    points = [
        Point(shape="1r", place="zipf & more", twin=twin, threads=threads, rates=[1e5 * threads], least=[1.0])
        for twin in ("stm", "coarse lock")
        for threads in stm_throughput.THREADS
    ]
    picture = ElementTree.fromstring(plot.svg(points, "<caption>"))
    lines = [element for element in picture.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 2
    assert all(len(line.attrib["points"].split()) == 4 for line in lines)


@pytest.mark.parametrize("quick", [True, False])
def test_the_sleep_is_measured_quickly_and_in_full(monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    sleeping, bare_lock = stm_queues.sleeping, stm_queues.bare_lock
    monkeypatch.setattr(stm_queues, "queues", lambda items, rounds: ({}, {}))
    monkeypatch.setattr(stm_queues, "sleeping", lambda seconds, wakings: sleeping(seconds / 1000, 2))
    monkeypatch.setattr(stm_queues, "bare_lock", lambda wakings: bare_lock(2))
    figures = stm_queues.measure(quick)
    assert len(figures["woken"]["retry"]) == len(figures["woken"]["a bare lock"]) == (2 if quick else 10)


def test_every_rung_of_the_profile_runs_again_and_again() -> None:
    figures = stm_profile.in_turns(stm_profile.ladder(), 2, 2) | stm_profile.elsewhere(2, 2)
    assert all(len(values) == 2 for values in figures.values())


@pytest.mark.parametrize("make", [stm_profile.thinking_memory, stm_profile.thinking_lock])
def test_thinking_twins_run(make: Callable[[int], Twin]) -> None:
    make(3)("2r2w")([(1, 2), (3, 4)])(5)

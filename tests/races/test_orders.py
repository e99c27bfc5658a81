"""Every scenario, in every order up to a stated bound; and bugs planted in the protocol, each of them caught."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from stm.ref import Ref
from stm.transaction import Transaction
from tests.races import scenarios
from tests.races.explorer import Found, Scenario, explore
from tests.races.steps import stepped

# Runs per scenario; `python -m tests.stress` goes further.  A scenario that ends before has been seen in every order.
BOUND = 400


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_no_order_goes_wrong(scenario: Callable[[], Scenario]) -> None:
    with stepped():
        report = explore(scenario, BOUND)
    assert report.orders > 1


@pytest.mark.parametrize("scenario", [scenarios.lost_update, scenarios.lost_wake_up], ids=lambda one: one.__name__)
def test_every_order_is_seen(scenario: Callable[[], Scenario]) -> None:
    with stepped():
        assert explore(scenario, 5000).complete


def planted(method: Any, *changes: tuple[str, str]) -> Any:
    """The method with a bug: its source text changed, each change exactly once."""
    source = textwrap.dedent(inspect.getsource(method))
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
        source = source.replace(old, new)
    names: dict[str, Any] = {}
    exec(source, vars(sys.modules[method.__module__]), names)
    return names[method.__name__]


BUGS: dict[str, tuple[type, str, list[tuple[str, str]], Callable[[], Scenario]]] = {
    "no validation of what was only read": (
        Transaction,
        "_commit_many",
        [("ref._version is not reads[ref] and ref not in marked", "False")],
        scenarios.write_skew_with_two_writes,
    ),
    "no validation beside the one record": (
        Transaction,
        "_commit_one",
        [("(other is not ref or reads", "(other is ref and reads")],
        scenarios.write_skew,
    ),
    "no validation of the one record": (
        Transaction,
        "_commit_one",
        [("raise Conflict", "pass")],
        scenarios.lost_update,
    ),
    "publish before validate": (
        Transaction,
        "_mark",
        [("ref._version = None\n", "ref._version = None; ref._value = self.writes[ref]\n")],
        scenarios.dirty_read,
    ),
    "unlock before publish": (
        Transaction,
        "_commit_one",
        [("self.tally.commits += 1", "guard.release()"), ("        guard.release()\n    if", "        pass\n    if")],
        scenarios.lost_update,
    ),
    "no mark": (Transaction, "_mark", [("ref._version = None\n", "pass\n")], scenarios.zombie_read),
    "wake before publish": (
        Transaction,
        "_commit_one",
        [
            ("guard.acquire()\n", "woken = guard.sleepers and guard.sleepers.get(id(ref))\n    guard.acquire()\n"),
            ("woken = None if guard.sleepers is None else guard.sleepers.get(id(ref))", "pass"),
        ],
        scenarios.lost_wake_up,
    ),
    "sleep without a last look": (
        Ref,
        "watch",
        [("if self._version is not seen:", "if False:")],
        scenarios.lost_wake_up,
    ),
    "no second look at the version": (
        Transaction,
        "get",
        [("version is None or ref._version is not version", "version is None"), ("if reads:", "if False:")],
        scenarios.zombie_read,
    ),
    "the newest of many reads not looked at again": (
        Transaction,
        "get",
        [
            ("reads.setdefault(ref, version) is not version", "self._recheck()"),
            ("self._recheck()  #", "reads[ref] = version  #"),
        ],
        scenarios.zombie_read_of_many,
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    owner, method, changes, scenario = BUGS[name]
    with stepped() as patch:
        patch.setattr(owner, method, planted(getattr(owner, method), *changes))
        with pytest.raises(Found):
            explore(scenario, 20_000)

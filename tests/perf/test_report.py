"""Every report says what was measured on what; a benchmark that hangs or fails says that."""

from pathlib import Path

import pytest

from perf import __main__ as command
from perf import report


def test_the_head_names_interpreter_load_commit_date_and_method() -> None:
    lines = report.head("A title", "\nThe method.\n", ["pytest", "no-such-distribution"])
    assert lines[:2] == ["A title", "======="]
    text = "\n".join(lines)
    for word in ("interpreter", "machine", "load", "commit", "date", "The method.", "no-such-distribution not inst"):
        assert word in text


def test_the_spread_is_the_median_with_its_range() -> None:
    assert report.spread([3.0, 1.0, 2.0], ".1f") == "2.0 (1.0-3.0)"


def test_a_part_that_fails_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert "failed with status" in command.output(command.Part("perf.no_such_module"), False, 60.0)
    assert "no_such_module" in capfd.readouterr().err


def test_a_part_past_its_limit_is_ended() -> None:
    assert "ended after its limit" in command.output(command.Part("perf.stm_costs"), False, 0.01)


def test_every_part_is_there() -> None:
    for benchmark in command.BENCHMARKS.values():
        for part in benchmark.parts:
            assert Path(report.ROOT, *part.module.split(".")).with_suffix(".py").is_file()

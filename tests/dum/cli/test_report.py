"""Reports: percentiles, what all commands say, tables and JSON."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from dum import DialogUsageManager
from dum.cli import report


def example(**changes: Any) -> dict[str, Any]:
    """A caller's report."""
    with DialogUsageManager() as manager:
        common = report.surroundings(manager)
    return {
        "calls": {"completed": 1998, "failed": 2, "reasons": {"486 rejected": 2}},
        "seconds": 10.0,
        "calls_per_second": 199.8,
        "processor_seconds": 3.0,
        "setup_seconds": {"p50": 0.0021, "p95": 0.0105, "p99": None},
        **common,
        **changes,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (None, None, None)),
        ([7.0], (7.0, 7.0, 7.0)),
        (range(100, 0, -1), (50, 95, 99)),
        (range(1, 201), (100, 190, 198)),
        ([1, 2], (1, 2, 2)),
    ],
)
def test_percentiles_by_nearest_rank(values: Any, expected: tuple[object, ...]) -> None:
    assert tuple(report.percentiles(values).values()) == expected


def test_surroundings_say_what_runs() -> None:
    found = example()
    assert found["threads"] >= 3
    assert found["memory"]["commits"] >= 0
    assert found["retransmissions"] == 0
    assert found["interpreter"].startswith("CPython 3.")
    assert found["gil"] in (True, False)


def test_a_table_has_every_line_of_every_side() -> None:
    caller = example()
    server = example(calls={"received": 2000, "completed": 1998, "failed": 2, "reasons": {"408 no ACK": 2}})
    del server["setup_seconds"]
    written = io.StringIO()
    Console(width=100, file=written).print(report.table({"caller": caller, "server": server}))
    lines = [line.split() for line in written.getvalue().splitlines() if line.strip()]
    assert ["calls", "received", "2,000"] in lines
    assert ["calls", "completed", "1,998", "1,998"] in lines
    assert ["486", "rejected", "2"] in lines
    assert ["CPU", "time", "per", "call", "1.50", "ms", "1.50", "ms"] in lines
    assert ["408", "no", "ACK", "2"] in lines
    assert ["call", "set-up", "time", "p50", "2.1", "ms"] in lines
    assert ["call", "set-up", "time", "p99", "-"] in lines
    assert ["retransmissions", "0", "0"] in lines


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    found = example()
    report.show({"caller": found}, as_json=True)
    assert json.loads(capsys.readouterr().out) == found
    report.show({"caller": found, "server": found}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"caller": found, "server": found}


def test_the_table_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    report.show({"caller": example()}, as_json=False)
    written = capsys.readouterr()
    assert "calls completed" in written.out
    assert written.err == ""

"""examples/bank.py."""

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "bank.py"


def test_no_money_is_lost() -> None:
    assert runpy.run_path(str(EXAMPLE))["run"](tellers=4, transfers=200) == 1000

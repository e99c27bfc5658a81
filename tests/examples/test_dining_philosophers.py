"""examples/dining_philosophers.py."""

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "dining_philosophers.py"


def test_everybody_eats() -> None:
    assert runpy.run_path(str(EXAMPLE))["dine"](5, 100) == 500

"""Orders and histories, for as long as SIPDUM_STRESS_SECONDS says; see tests/stress/__main__.py."""

import os

from tests.stress.__main__ import main


def test_nothing_goes_wrong_for_long() -> None:
    assert main(float(os.environ.get("SIPDUM_STRESS_SECONDS", "3"))) == 0

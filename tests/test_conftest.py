"""A run that is not the one it is meant to be fails, and says so."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

FREE_THREADED_BUILD = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

only_free_threaded = pytest.mark.skipif(not FREE_THREADED_BUILD, reason="a build with the GIL has nothing to switch on")
only_with_gil = pytest.mark.skipif(FREE_THREADED_BUILD, reason="this build is what was expected")

WELL = "def test_well():\n    pass\n"

# As if an extension module had been imported that does not declare itself safe without the GIL.
SWITCHES_IT_ON = "import sys\n\ndef test_well():\n    sys._is_gil_enabled = lambda: True\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A test suite with our conftest.py and nothing else."""
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "conftest.py")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(suite: Path, test: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs one test in a pytest of its own."""
    (suite / "test_it.py").write_text(test)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON_GIL"))}
    environment.pop("SIPDUM_EXPECT_FREE_THREADED", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"]
    return subprocess.run(
        command, cwd=suite, env=environment | more, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_good_run_passes_and_names_its_interpreter(suite: Path) -> None:
    result = run(suite, WELL)
    assert result.returncode == 0, result.stdout
    assert f"GIL {'off' if FREE_THREADED_BUILD else 'on'}" in result.stdout


@only_free_threaded
def test_a_run_with_the_gil_asked_for_does_not_start(suite: Path) -> None:
    result = run(suite, WELL, PYTHON_GIL="1")
    assert result.returncode != 0
    assert "the GIL is on in a free-threaded build" in result.stdout + result.stderr


@only_free_threaded
def test_a_gil_switched_on_along_the_way_fails_the_run_at_its_end(suite: Path) -> None:
    result = run(suite, SWITCHES_IT_ON)
    assert "1 passed" in result.stdout
    assert result.returncode != 0
    assert "the GIL is on in a free-threaded build" in result.stdout


@only_with_gil
def test_a_build_with_the_gil_fails_where_a_free_threaded_one_is_expected(suite: Path) -> None:
    result = run(suite, WELL, SIPDUM_EXPECT_FREE_THREADED="1")
    assert result.returncode != 0
    assert "meant to be free-threaded" in result.stdout + result.stderr

"""The commands of the Makefile and of .ci/run say what they do, and agree with the rest of the house."""

import re
import shutil
import subprocess

import pytest

from bootstrap import prerequisites
from bootstrap.environment import STAMP
from tests.architecture.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make")
def test_help_names_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert re.findall(r"^  make (\w+)  +\S", said, re.MULTILINE) == phony[1].split()


def test_every_target_that_uses_the_environment_sets_it_up_first() -> None:
    for target, needs, recipe in re.findall(r"^(\w+):(.*?)  ## .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE):
        if "$(VENV)" in recipe:
            assert "setup" in needs.split(), f"{target} uses .venv without setup"


def test_the_tests_expect_what_the_set_up_found() -> None:
    assert f".venv/{STAMP}" in MAKEFILE
    assert "SIPDUM_EXPECT_FREE_THREADED" in (ROOT / "tests/conftest.py").read_text()


def test_continuous_integration_is_a_sound_script_that_runs_the_two_commands() -> None:
    script = (ROOT / ".ci/run").read_text()
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], timeout=60, check=True)
    assert "\nmake demo\n" in script
    assert script.rstrip().endswith("\nmake test"), "the closing line of the tests is the closing line of the run"


def test_continuous_integration_installs_what_compiling_takes() -> None:
    listed = re.search(r"^compile_with=\((.*)\)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert listed
    packages = [library.package for library in (*prerequisites.NEEDED, *prerequisites.WANTED)]
    assert listed[1].split() == ["gcc", "make", *packages]

"""The command line as a whole: help, mistakes, and its own process."""

import subprocess
import sys

import pytest

from dum.cli import main
from tests.architecture.tree import ROOT


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["serve", "--ring"], ["load"], ["call", "nobody"], ["demo", "x"]])
def test_a_mistake_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("dum")
    assert written.err.count("\n") == 1


@pytest.mark.parametrize("command", ["serve", "call", "load", "demo"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: dum {command}" in capsys.readouterr().out


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dum.cli", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0
    assert "usage: dum " in done.stdout

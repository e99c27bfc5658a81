"""The bootstrap is readable to the Python that a Debian machine brings along."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, name_of


@pytest.mark.parametrize("file", files("bootstrap"), ids=name_of)
def test_the_bootstrap_uses_the_grammar_of_python_3_11(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 11))


@pytest.mark.skipif(shutil.which("python3.11") is None, reason="this machine has no python3.11 to try")
def test_the_bootstrap_imports_on_python_3_11() -> None:
    names = [f"bootstrap.{file.stem}" for file in files("bootstrap") if not file.stem.startswith("_")]
    command = ["python3.11", "-W", "error", "-c", f"import {', '.join(names)}"]
    subprocess.run(command, cwd=ROOT, timeout=60, check=True)

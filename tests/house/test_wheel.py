"""The wheel that people would install: complete, typed, licensed, and it works outside the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, files, name_of

TRY = """
import importlib.metadata, pathlib, sys
import dum, stm, transport
for package in (dum, stm, transport):
    assert pathlib.Path(package.__file__).is_relative_to(sys.argv[1]), package.__file__
(command,) = importlib.metadata.distribution("sipdum").entry_points.select(group="console_scripts", name="dum")
assert callable(command.load())
"""


def run(*arguments: str | Path, directory: Path, path: Path | None = None) -> str:
    """Runs a command that has to succeed and returns what it said."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": os.fspath(path) if path else ""}
    result = subprocess.run(
        [os.fspath(argument) for argument in arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing left by other builds gets into it."""
    copy = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps"]
    run(*pip, "--wheel-dir", copy / "out", ".", directory=copy)
    (built,) = (copy / "out").glob("*.whl")
    return Path(built)


def test_it_holds_every_module_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    expected = [name_of(file) for file in files(*PACKAGES)] + [f"{package}/py.typed" for package in PACKAGES]
    assert sorted(names) == sorted(expected)


def test_it_is_pure_python_and_carries_its_license(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        (license_file,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        assert archive.read(license_file) == (ROOT / "LICENSE").read_bytes()
        said = archive.read(metadata).decode()
    assert "License-Expression: Apache-2.0" in said
    assert "Requires-Python: >=3.13" in said
    assert "Free Threading" in said


def test_it_works_where_there_is_no_repository(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", place, wheel, directory=tmp_path)
    run(sys.executable, "-P", "-c", TRY, place, directory=tmp_path, path=place)
    assert "usage" in run(sys.executable, "-P", place / "bin/dum", "--help", directory=tmp_path, path=place).lower()

"""`.venv`: made once, completed when it has to be, left alone otherwise."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bootstrap import build, discovery, environment, uv
from bootstrap.console import CannotContinueError
from bootstrap.interpreter import Interpreter, probe
from tests.bootstrap.fakes import interpreter, program, python, surroundings

PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
[project]
name = "sipdum"
[project.optional-dependencies]
test = ["pytest"]
check = ["ruff"]
"""


class Clone:
    """A clone in an empty home, with a pip and a venv that only note what they are asked for."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = home / "clone"
        self.root.mkdir()
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        self.bin = home / "bin"
        self.bin.mkdir()
        self.environment = dict(surroundings(home, self.bin))
        self.commands: list[list[str]] = []
        self.failing = ""
        monkeypatch.setattr(environment, "must_run", self.run)

    def run(self, purpose: str, arguments: Sequence[str | Path], **_: object) -> float:
        command = [str(argument) for argument in arguments]
        self.commands.append(command)
        if self.failing and self.failing in command:
            raise CannotContinueError(f"{purpose} failed")
        if command[1:3] == ["-m", "venv"]:
            place = Path(command[3])
            (place / "bin").mkdir(parents=True)
            (place / "bin/python").symlink_to(command[0])
            (place / "pyvenv.cfg").touch()
        return 0.0

    def prepare(self, **more: str) -> list[str]:
        """Prepares the environment; returns what was done, in one word each."""
        self.commands.clear()
        environment.prepare(self.root, {**self.environment, **more})
        return [command[2] for command in self.commands]

    @property
    def stamp(self) -> str:
        return (self.root / ".venv" / environment.STAMP).read_text()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    return Clone(tmp_path, monkeypatch)


def test_made_once_and_then_left_alone(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    place = python(clone.bin / "python3.14t")
    assert clone.prepare() == ["venv", "pip", "pip"]
    assert f"interpreter = {place}\n" in clone.stamp
    assert "free_threaded = 1\n" in clone.stamp
    capsys.readouterr()
    assert clone.prepare() == []
    assert capsys.readouterr().err == ""


def test_packages_come_as_wheels_or_not_at_all(clone: Clone) -> None:
    python(clone.bin / "python3.14t")
    clone.prepare()
    _, builder, project = clone.commands
    assert "--only-binary=:all:" in builder
    assert "--only-binary=:all:" in project
    assert builder[-1] == "setuptools>=77"
    assert project[-3:] == ["--no-build-isolation", "--editable", ".[test,check]"]


def test_completed_when_pyproject_changes(clone: Clone) -> None:
    python(clone.bin / "python3.14t")
    clone.prepare()
    (clone.root / "pyproject.toml").write_text(PYPROJECT + "# version = '2'\n")
    assert clone.prepare() == ["pip", "pip"]
    assert clone.prepare() == []


def test_completed_when_an_earlier_attempt_failed(clone: Clone) -> None:
    python(clone.bin / "python3.14t")
    clone.prepare()
    (clone.root / "pyproject.toml").write_text(PYPROJECT + "# version = '2'\n")
    clone.failing = "--editable"
    with pytest.raises(CannotContinueError):
        clone.prepare()
    (clone.root / "pyproject.toml").write_text(PYPROJECT)  # back to what was complete, and no longer is
    clone.failing = ""
    assert clone.prepare() == ["pip", "pip"]


def test_made_anew_when_its_interpreter_has_gone(clone: Clone) -> None:
    python(clone.bin / "python3.13t", (3, 13, 5))
    clone.prepare()
    (clone.bin / "python3.13t").unlink()
    python(clone.bin / "python3.14t")
    assert clone.prepare() == ["venv", "pip", "pip"]
    assert "version = 3.14.0\n" in clone.stamp


def test_a_newer_interpreter_does_not_disturb_it(clone: Clone) -> None:
    python(clone.bin / "python3.13t", (3, 13, 5))
    clone.prepare()
    python(clone.bin / "python3.14t")
    assert clone.prepare() == []


def test_one_that_was_made_by_hand_is_completed(clone: Clone) -> None:
    place = python(clone.bin / "python3.14t")
    clone.run("", [place, "-m", "venv", clone.root / ".venv"])
    assert clone.prepare() == ["pip", "pip"]


def test_the_one_named_is_used_and_stays(clone: Clone) -> None:
    python(clone.bin / "python3.14t")
    chosen = python(clone.bin / "chosen", (3, 13, 1), free_threaded=False)
    clone.prepare()
    assert clone.prepare(PYTHON="chosen") == ["venv", "pip", "pip"]
    assert f"interpreter = {chosen}\n" in clone.stamp
    assert "free_threaded = 0\n" in clone.stamp
    assert clone.prepare(PYTHON="chosen") == []
    assert clone.prepare() == []


def test_a_mistake_in_the_name_touches_nothing(clone: Clone) -> None:
    python(clone.bin / "python3.14t")
    clone.prepare()
    with pytest.raises(CannotContinueError, match="PYTHON=nothing"):
        clone.prepare(PYTHON="nothing")
    assert clone.prepare() == []


def test_a_clone_that_has_moved_is_installed_again(clone: Clone) -> None:
    """The editable installation and the scripts of .venv hold the old path."""
    python(clone.bin / "python3.14t")
    clone.prepare()
    clone.root = clone.root.rename(clone.root.parent / "moved")
    assert clone.prepare() == ["venv", "pip", "pip"]


@pytest.mark.parametrize("here", ["installed", "cached", "uv", "built"])
def test_the_order_of_the_search(clone: Clone, monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    tried: list[str] = []
    found = interpreter(python(clone.bin / "snake"))

    def answer(step: str) -> Interpreter | None:
        tried.append(step)
        return found if step == here else None

    def install(*_: object) -> bool:
        answer("uv")
        python(clone.bin / "python3.14t")
        return here == "uv"

    if here in {"uv", "built"}:
        program(clone.bin / "uv", "true; echo uv")
    real = discovery.newest_installed
    monkeypatch.setattr(
        discovery, "newest_installed", lambda given: real(given) if tried[-1:] == ["uv"] else answer("installed")
    )
    monkeypatch.setattr(build, "cached", lambda *_: answer("cached"))
    monkeypatch.setattr(uv, "install", install)
    monkeypatch.setattr(build, "build", lambda *_: answer("built"))
    assert environment.choose(clone.environment)
    order = ["installed", "cached", "uv", "built"]
    assert tried == order[: order.index(here) + 1]


def test_the_real_venv_command(tmp_path: Path) -> None:
    """With the interpreter of this test: the environment works, and pip is in it."""
    found = probe(sys.executable, os.environ)
    assert found is not None
    environment.create(tmp_path / ".venv", found, os.environ)
    again = environment.kept(tmp_path / ".venv", None, os.environ)
    assert again == found
    assert (tmp_path / ".venv/bin/pip").exists()

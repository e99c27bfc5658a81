"""Which interpreter is taken, out of those a machine may have."""

import os
from pathlib import Path

import pytest

from bootstrap.console import CannotContinueError
from bootstrap.discovery import named, newest_installed
from tests.bootstrap.fakes import program, python, runs_of, surroundings


def test_none_on_a_bare_machine(tmp_path: Path) -> None:
    assert newest_installed(surroundings(tmp_path)) is None
    assert named(surroundings(tmp_path)) is None


def test_the_newest_free_threaded_one_on_path(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    python(first / "python3.13t", (3, 13, 7))
    python(first / "python3.14", (3, 14, 2), free_threaded=False)
    newest = python(second / "python3.14t", (3, 14, 1))
    python(second / "python3.15t", (3, 15, 0), final=False)
    found = newest_installed(surroundings(tmp_path, first, second))
    assert found is not None
    assert found.path == newest


def test_a_plain_name_may_hide_a_free_threaded_build(tmp_path: Path) -> None:
    place = python(tmp_path / "bin/python3", (3, 14, 0))
    found = newest_installed(surroundings(tmp_path, tmp_path / "bin"))
    assert found is not None
    assert found.path == place


def test_other_programs_and_older_pythons_are_not_even_run(tmp_path: Path) -> None:
    others = [python(tmp_path / "bin" / name) for name in ("python3.12", "python3.14-config", "pythonista", "python2")]
    assert newest_installed(surroundings(tmp_path, tmp_path / "bin")) is None
    assert [runs_of(place) for place in others] == [0, 0, 0, 0]


def test_broken_shims_and_directories_are_passed_by(tmp_path: Path) -> None:
    program(tmp_path / "shims/python3.14t", "echo 'no such version' >&2; exit 127")
    (tmp_path / "shims/python3.13t").symlink_to("python3.13t")
    (tmp_path / "shims/python3.15t").mkdir()
    good = python(tmp_path / "bin/python3.13t", (3, 13, 5))
    nowhere = tmp_path / "nonexistent"
    found = newest_installed(surroundings(tmp_path, nowhere, tmp_path / "shims", tmp_path / "bin"))
    assert found is not None
    assert found.path == good


def test_one_without_ssl_is_passed_over_with_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    python(tmp_path / "bin/python3.15t", (3, 15, 0), missing=("ssl",))
    good = python(tmp_path / "bin/python3.14t", (3, 14, 0))
    found = newest_installed(surroundings(tmp_path, tmp_path / "bin"))
    assert found is not None
    assert found.path == good
    assert "lacks the modules ssl" in capsys.readouterr().err


def test_a_file_with_several_names_is_run_once(tmp_path: Path) -> None:
    place = python(tmp_path / "bin/python3.14t")
    (tmp_path / "bin/python3").symlink_to(place)
    (tmp_path / "bin/python3.14").symlink_to(place)
    assert newest_installed(surroundings(tmp_path, tmp_path / "bin", tmp_path / "bin"))
    assert runs_of(place) == 1


def test_pyenv_is_searched_though_its_shims_are_not_on_path(tmp_path: Path) -> None:
    python(tmp_path / ".pyenv/versions/3.13.9t/bin/python3.13t", (3, 13, 9))
    other = tmp_path / "elsewhere"
    newest = python(other / "versions/3.14.3t/bin/python3.14t", (3, 14, 3))
    found = newest_installed(surroundings(tmp_path, PYENV_ROOT=os.fspath(other)))
    assert found is not None
    assert found.path == newest


def test_a_pyenv_that_may_not_be_read_is_no_obstacle(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "versions").mkdir(parents=True)
    closed.chmod(0)
    try:
        assert newest_installed(surroundings(tmp_path, PYENV_ROOT=os.fspath(closed))) is None
    finally:
        closed.chmod(0o700)


def test_uv_is_asked(tmp_path: Path) -> None:
    place = python(tmp_path / "managed/bin/python3.14t", (3, 14, 4))
    listing = f"cpython-3.14.4+freethreaded-linux-x86_64-gnu    {place}"
    program(tmp_path / "bin/uv", f"echo '{listing}'")
    found = newest_installed(surroundings(tmp_path, tmp_path / "bin"))
    assert found is not None
    assert found.path == place


def test_the_one_named_is_taken_gil_or_not(tmp_path: Path) -> None:
    place = python(tmp_path / "bin/snake", (3, 13, 0), free_threaded=False)
    for name in ("snake", os.fspath(place), "~/bin/snake"):
        found = named(surroundings(tmp_path, tmp_path / "bin", PYTHON=name))
        assert found is not None
        assert found.path == place


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "there is no such program"),
        ("broken", "does not run"),
        ("old", r"older than 3\.13"),
        ("bare", "lacks the modules venv"),
    ],
)
def test_the_one_named_has_to_be_usable(tmp_path: Path, name: str, why: str) -> None:
    program(tmp_path / "bin/broken", "exit 1")
    python(tmp_path / "bin/old", (3, 11, 2))
    python(tmp_path / "bin/bare", missing=("venv",))
    python(tmp_path / "bin/python3.14t")
    with pytest.raises(CannotContinueError, match=f"PYTHON={name}: .*{why}"):
        named(surroundings(tmp_path, tmp_path / "bin", PYTHON=name))

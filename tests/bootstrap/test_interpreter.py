"""What a program says of itself, and whether it will do."""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from bootstrap.interpreter import probe
from tests.bootstrap.fakes import interpreter, program, python


def test_the_interpreter_of_this_test_knows_itself() -> None:
    found = probe(sys.executable, os.environ)
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.free_threaded == bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert found.path == Path(os.path.realpath(sys._base_executable))  # type: ignore[attr-defined]
    assert found.shortcoming is None


@pytest.mark.parametrize("script", ["exit 1", "echo hello", "echo '{}'", "echo '[]'", "echo '{\"version\": 3}'", ""])
def test_what_does_not_answer_like_a_python_is_none(tmp_path: Path, script: str) -> None:
    assert probe(program(tmp_path / "python3", script), os.environ) is None


def test_a_program_that_is_not_there_or_hangs_is_none(tmp_path: Path) -> None:
    assert probe(tmp_path / "nothing", os.environ) is None
    assert probe(program(tmp_path / "hangs", "exec tail -f /dev/null"), os.environ, timeout=0.05) is None


def test_shortcomings_are_named(tmp_path: Path) -> None:
    places = iter(range(10))

    def shortcoming(**facts: object) -> str | None:
        found = probe(python(tmp_path / str(next(places)), **facts), os.environ)  # type: ignore[arg-type]
        assert found is not None
        return found.shortcoming

    assert shortcoming() is None
    assert shortcoming(free_threaded=False) is None
    assert shortcoming(version=(3, 12, 9)) == "is Python 3.12.9, older than 3.13"
    assert shortcoming(missing=("ssl", "venv")) == "lacks the modules ssl, venv"
    assert shortcoming(implementation="pypy") == "is pypy, not CPython"


def test_newest_first_but_a_final_release_before_any_other(tmp_path: Path) -> None:
    old, new = interpreter(tmp_path, (3, 13, 9)), interpreter(tmp_path, (3, 14, 0))
    alpha = probe(python(tmp_path / "alpha", (3, 15, 0), final=False), os.environ)
    assert alpha is not None
    assert max([old, alpha, new], key=lambda found: found.preference) is new
    assert interpreter(tmp_path, (3, 13, 10)).preference > old.preference


def test_written_out(tmp_path: Path) -> None:
    assert str(interpreter(Path("/x/python3.14t"))) == "CPython 3.14.0 free-threaded (/x/python3.14t)"
    assert "with the GIL" in str(interpreter(tmp_path, free_threaded=False))

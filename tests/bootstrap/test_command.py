"""Commands that end, fail, hang, and are interrupted."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bootstrap.command import clean_environment, must_run, output_of, run_logged, running
from bootstrap.console import CannotContinueError

FOREVER = ["tail", "-f", "/dev/null"]


def test_output_of_a_command() -> None:
    assert output_of(["echo", "a b"], timeout=10) == "a b\n"


@pytest.mark.parametrize("command", [["false"], ["/nonexistent/program"], [os.fspath(Path(__file__))]])
def test_a_command_that_fails_or_cannot_be_run_has_no_output(command: list[str]) -> None:
    assert output_of(command, timeout=10) is None


def test_an_interrupted_command_is_ended_with_its_descendants() -> None:
    reading, writing = os.pipe()
    script = "trap '' TERM; tail -f /dev/null & trap - TERM; echo started; wait"  # the descendant ignores SIGTERM
    command = ["sh", "-c", script]
    with suppress(KeyboardInterrupt), running(command, stdout=subprocess.PIPE, pass_fds=(writing,)) as child:
        os.close(writing)
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        raise KeyboardInterrupt
    assert child.returncode is not None
    assert os.read(reading, 1) == b""  # the end, which comes when nobody holds the other side any more
    os.close(reading)


def test_a_command_that_hangs_has_no_output() -> None:
    assert output_of(FOREVER, timeout=0.05) is None


def test_a_command_that_ignores_the_polite_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.command.PATIENCE", 0.05)
    with running(["sh", "-c", "trap '' TERM; echo ready; tail -f /dev/null"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    assert child.wait(30) == -signal.SIGKILL


def test_the_log_holds_the_command_and_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run_logged(["sh", "-c", "echo out; echo error >&2"], log=log, environment=os.environ)
    assert not run_logged(["sh", "-c", "echo again; exit 3"], log=log, environment=os.environ)
    assert log.read_text().splitlines() == [
        "",
        "$ sh -c echo out; echo error >&2",
        "out",
        "error",
        "",
        "$ sh -c echo again; exit 3",
        "again",
    ]


def test_a_watched_command_is_stopped_when_the_watch_says_so(tmp_path: Path) -> None:
    answers = iter([True, True, False])
    assert not run_logged(FOREVER, log=tmp_path / "log", environment=os.environ, watch=lambda: next(answers))
    assert next(answers, "all asked") == "all asked"


def test_what_has_to_succeed_and_fails_shows_the_end_of_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "for n in range(100): print('line', n)\nraise SystemExit(1)"]
    with pytest.raises(CannotContinueError) as raised:
        must_run("compiling", command, log=tmp_path / "log", environment=os.environ)
    assert str(raised.value).startswith("compiling failed")
    assert "line 99" in str(raised.value)
    assert "line 60" not in str(raised.value)


def test_a_program_that_is_not_there_fails_in_words(tmp_path: Path) -> None:
    with pytest.raises(CannotContinueError, match="No such file"):
        must_run("trying", ["/nonexistent/program"], log=tmp_path / "log", environment=os.environ)


def test_commands_have_no_standard_input() -> None:
    assert output_of(["cat"], timeout=10) == ""


def test_the_surrounding_make_and_python_do_not_reach_in() -> None:
    outside = {"MAKEFLAGS": "-j8", "PYTHONPATH": "/x", "PYTHON_GIL": "1", "PATH": "/bin", "https_proxy": "p"}
    assert clean_environment(outside) == {"PATH": "/bin", "https_proxy": "p", "LC_ALL": "C.UTF-8"}


def test_descriptors_stay_open_only_when_asked(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        say_so = [sys.executable, "-c", f"import os; os.write({writing}, b'inherited')"]
        assert not run_logged(say_so, log=tmp_path / "log", environment=os.environ)
        assert run_logged(say_so, log=tmp_path / "log", environment=os.environ, keep_open=[writing])
        assert os.read(reading, 100) == b"inherited"
    finally:
        os.close(reading)
        os.close(writing)

"""One set-up at a time."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from bootstrap import lock


def test_the_second_waits_says_so_and_then_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def heard(text: str) -> None:
        order.append(text)
        waiting.set()

    monkeypatch.setattr(lock, "say", heard)

    def second() -> None:
        with lock.held(tmp_path / "lock", while_waiting="waiting"):
            order.append("second")

    thread = threading.Thread(target=second)
    with lock.held(tmp_path / "lock", while_waiting="not said"):
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["waiting", "first", "second"]


def test_a_lock_is_free_again_after_an_exception(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), lock.held(tmp_path / "lock", while_waiting="waiting"):
        raise RuntimeError
    with lock.held(tmp_path / "lock", while_waiting="waiting"):
        pass
    assert capsys.readouterr().err == ""


def test_a_child_that_outlives_its_parent_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The set-up was killed outright, its compilers still run: nobody may clear the directory under them."""
    place = tmp_path / "lock"
    reading, writing = os.pipe()
    with lock.held(place, while_waiting="not said") as descriptor:
        child = subprocess.Popen(["cat"], stdin=reading, pass_fds=(descriptor,))
    os.close(reading)
    waiting = threading.Event()
    monkeypatch.setattr(lock, "say", lambda _: waiting.set())

    def next_one() -> None:
        with lock.held(place, while_waiting="waiting"):
            pass

    thread = threading.Thread(target=next_one)
    thread.start()
    assert waiting.wait(30)
    os.close(writing)
    assert child.wait(30) == 0
    thread.join(30)
    assert not thread.is_alive()


def test_the_directory_is_made_for_it(tmp_path: Path) -> None:
    with lock.held(tmp_path / "not" / "yet" / "lock", while_waiting=""):
        assert (tmp_path / "not/yet/lock").is_file()

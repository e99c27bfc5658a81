"""uv: found, asked, and given up when nothing comes."""

import os
from pathlib import Path

import pytest

from bootstrap import uv
from tests.bootstrap.fakes import program, surroundings

LISTING = """\
cpython-3.15.0a1+freethreaded-linux-x86_64-gnu    /a/python3.15t
cpython-3.14.0+freethreaded-linux-x86_64-gnu      /b/bin/python3.14t -> python3.14
cpython-3.14.0-linux-x86_64-gnu                   /c/python3.14
pypy-3.11.13-linux-x86_64-gnu                     /d/pypy3
"""


def test_its_free_threaded_interpreters(tmp_path: Path) -> None:
    (tmp_path / "listing").write_text(LISTING)
    place = program(tmp_path / "bin/uv", f"cat {tmp_path}/listing")
    found = list(uv.installed(os.fspath(place), surroundings(tmp_path)))
    assert found == [Path("/a/python3.15t"), Path("/b/bin/python3.14t")]


def test_found_where_its_installer_puts_it(tmp_path: Path) -> None:
    place = program(tmp_path / ".local/bin/uv", "echo uv 1.0")
    assert uv.program(surroundings(tmp_path)) == os.fspath(place)


def test_a_shim_that_does_not_run_is_no_uv(tmp_path: Path) -> None:
    program(tmp_path / "bin/uv", "exit 127")
    assert uv.program(surroundings(tmp_path, tmp_path / "bin")) is None


def test_installing(tmp_path: Path) -> None:
    place = program(tmp_path / "uv", 'case "$*" in "python dir") echo /nowhere;; "python install 3.14t") true;; esac')
    assert uv.install(os.fspath(place), surroundings(tmp_path), tmp_path / "log")


def test_a_server_out_of_reach_costs_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = program(tmp_path / "uv", "echo 'dns error' >&2; exit 1")
    assert not uv.install(os.fspath(place), surroundings(tmp_path), tmp_path / "log")
    assert "could not download" in capsys.readouterr().err


def test_silence_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "SILENCE_LIMIT", 0.0)
    place = program(tmp_path / "uv", 'case "$*" in "python dir") echo /nowhere;; *) exec tail -f /dev/null;; esac')
    assert not uv.install(os.fspath(place), surroundings(tmp_path), tmp_path / "log")


def test_what_arrives_keeps_the_download_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(uv, "monotonic", lambda: clock[0])
    arrivals = uv.Arrivals(tmp_path)
    assert arrivals()
    clock[0] += uv.SILENCE_LIMIT - 1
    (tmp_path / "below").mkdir()
    (tmp_path / "below/part").write_bytes(b"12345")
    assert arrivals()
    clock[0] += uv.SILENCE_LIMIT - 1
    assert arrivals()
    clock[0] += 1
    assert not arrivals()

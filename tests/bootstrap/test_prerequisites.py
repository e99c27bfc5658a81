"""What compiling takes: looked for with the compiler itself, installed where that is allowed, else named."""

import os
import shutil
from pathlib import Path

import pytest

from bootstrap import prerequisites
from bootstrap.console import CannotContinueError
from tests.bootstrap.fakes import program, surroundings

# A gcc that finds the headers listed in a file, and no other.
GCC = r"""
while read -r word header; do case "$word" in "#include") echo "$header";; esac; done < "$1" > {0}/asked
while read -r header; do
    case " <stdio.h> $(cat {0}/has) " in *" $header "*) ;; *) exit 1;; esac
done < {0}/asked
"""

ALL = "<zlib.h> <openssl/ssl.h> <ffi.h> <sqlite3.h> <bzlib.h> <lzma.h> <readline/readline.h>"


def machine(home: Path, headers: str) -> dict[str, str]:
    """A machine with gcc, make and some headers."""
    program(home / "bin/gcc", GCC.format(home))
    program(home / "bin/make", "true")
    (home / "has").write_text(headers)
    return dict(surroundings(home, home / "bin"))


def test_nothing_missing(tmp_path: Path) -> None:
    assert prerequisites.missing_packages(machine(tmp_path, ALL)) == ([], [])


def test_missing_headers_are_named_by_package(tmp_path: Path) -> None:
    without = ALL.replace("<ffi.h>", "").replace("<lzma.h>", "")
    assert prerequisites.missing_packages(machine(tmp_path, without)) == (["libffi-dev"], ["liblzma-dev"])


def test_without_a_compiler_everything_is_missing(tmp_path: Path) -> None:
    needed, wanted = prerequisites.missing_packages(surroundings(tmp_path))
    assert needed == ["gcc", "make", "libc6-dev", "zlib1g-dev", "libssl-dev", "libffi-dev"]
    assert "libsqlite3-dev" in wanted


def test_who_is_not_root_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "as_root", lambda _: None)
    here = machine(tmp_path, ALL.replace("<openssl/ssl.h>", "").replace("<bzlib.h>", ""))
    with pytest.raises(CannotContinueError, match="as root, run\n\n    apt-get install libssl-dev libbz2-dev\n"):
        prerequisites.provide(here, tmp_path / "log")


def test_what_is_only_wanted_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prerequisites, "as_root", lambda _: None)
    prerequisites.provide(machine(tmp_path, ALL.replace("<sqlite3.h>", "")), tmp_path / "log")
    assert "going on without libsqlite3-dev" in capsys.readouterr().err


def test_root_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prerequisites, "as_root", lambda _: [])
    here = machine(tmp_path, ALL.replace("<ffi.h>", ""))
    # This apt-get makes the header appear, as the real one would.
    script = f'echo "$*" >> {tmp_path}/apt\ncase "$*" in *install*libffi-dev) echo \'{ALL}\' > {tmp_path}/has;; esac'
    program(tmp_path / "bin/apt-get", script)
    prerequisites.provide(here, tmp_path / "log")
    assert "installing Debian packages to compile with: libffi-dev" in capsys.readouterr().err
    update, install = (tmp_path / "apt").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends libffi-dev")


def test_root_is_told_when_installing_did_not_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "as_root", lambda _: [])
    program(tmp_path / "bin/apt-get", "exit 100")
    with pytest.raises(CannotContinueError, match="zlib1g-dev"):
        prerequisites.provide(machine(tmp_path, ALL.replace("<zlib.h>", "")), tmp_path / "log")


def test_sudo_is_used_only_if_it_asks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert prerequisites.as_root(surroundings(tmp_path)) is None
    sudo = program(tmp_path / "bin/sudo", "exit 1")
    assert prerequisites.as_root(surroundings(tmp_path, tmp_path / "bin")) is None
    program(sudo, 'test "$*" = "-n true"')
    assert prerequisites.as_root(surroundings(tmp_path, tmp_path / "bin")) == [os.fspath(sudo), "-n"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert prerequisites.as_root(surroundings(tmp_path)) == []


@pytest.mark.skipif(shutil.which("gcc") is None, reason="this machine has no gcc to ask")
def test_the_real_compiler_tells_a_header_from_none() -> None:
    mathematics = prerequisites.Library("libc6-dev", "math.h", "-lm", "")
    nothing = prerequisites.Library("", "sipdum/no-such-header.h", "-lm", "")
    assert prerequisites.links(mathematics, os.environ)
    assert not prerequisites.links(nothing, os.environ)

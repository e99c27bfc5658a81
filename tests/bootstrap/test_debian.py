"""The source from Debian, by an apt of our own that leaves the machine's alone."""

from pathlib import Path

import pytest

from bootstrap import debian
from bootstrap.console import CannotContinueError
from tests.bootstrap.fakes import program, surroundings

# An apt-get that notes its arguments and the sources it was given, and has one good mirror.
APT = r"""
echo "$*" >> {0}/calls
case "$*" in
  *no-release-info*) cat {0}/unfetched 2>/dev/null; exit 0;;
  *indextargets*) cat {0}/fetched 2>/dev/null; exit 0;;
esac
for argument; do case "$argument" in -oDir::Etc::sourcelist=*) list=${{argument#*=}};; esac; done
cat "$list" >> {0}/sources
case "$(cat "$list")" in *good*) ;; *) echo "E: no Release file"; exit 100;; esac
case "$*" in *"source --download-only"*) echo archive > python3.13_3.13.5.orig.tar.xz;; esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine whose apt-get is the one above, and which has Debian's keyring."""
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(debian, "KEYRING", keyring)
    program(tmp_path / "bin/apt-get", APT.format(tmp_path))
    (tmp_path / "work").mkdir()
    return dict(surroundings(tmp_path, tmp_path / "bin"))


def fetch(tmp_path: Path, machine: dict[str, str]) -> Path:
    return debian.source_archive(tmp_path / "work", machine, tmp_path / "log")


def test_from_the_mirror_the_machine_uses(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "fetched").write_text("Other|http://other/\nDebian|http://good/debian/\nDebian|http://good/debian/\n")
    assert fetch(tmp_path, machine) == tmp_path / "work/python3.13_3.13.5.orig.tar.xz"
    line = f"deb-src [signed-by={tmp_path}/keyring.gpg] http://good/debian/ trixie main"
    assert set((tmp_path / "sources").read_text().splitlines()) == {line}


def test_the_machines_own_apt_is_left_alone_and_nothing_unsigned_is_taken(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    (tmp_path / "fetched").write_text("Debian|http://good/debian/\n")
    fetch(tmp_path, machine)
    calls = [call for call in (tmp_path / "calls").read_text().splitlines() if "indextargets" not in call]
    assert [call.split()[-1] for call in calls] == ["update", "python3.13"]
    for call in calls:
        for option in ("Dir::Etc::sourcelist", "Dir::Etc::sourceparts", "Dir::State::lists", "Dir::Cache"):
            assert f"-o{option}={tmp_path}/work/apt/" in call
        assert "-oAPT::Get::AllowUnauthenticated=false" in call
        assert "-oAcquire::AllowInsecureRepositories=false" in call


def test_a_machine_whose_apt_was_never_updated(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "unfetched").write_text("http://tools/\nhttp://good/debian-security/\nhttp://good/debian/\n")
    mirrors = debian.mirrors_of_this_machine(machine)
    assert mirrors == ["http://good/debian/", "http://tools/", "http://good/debian-security/"]


def test_the_next_mirror_when_one_has_it_not(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "fetched").write_text("Debian|http://bad/debian/\nDebian|http://good/debian/\n")
    assert fetch(tmp_path, machine).exists()


def test_the_mirror_named_is_the_only_one(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "fetched").write_text("Debian|http://good/debian/\n")
    with pytest.raises(CannotContinueError, match=r"http://bad/.*is the network up\?(.|\n)*no Release file"):
        fetch(tmp_path, {**machine, debian.MIRROR_VARIABLE: "http://bad/"})
    assert "good" not in (tmp_path / "sources").read_text()


def test_no_mirror_known(tmp_path: Path, machine: dict[str, str]) -> None:
    with pytest.raises(CannotContinueError, match=r"names no Debian mirror.*SIPDUM_DEBIAN_MIRROR"):
        fetch(tmp_path, machine)


def test_a_machine_without_apt_or_without_the_keyring(tmp_path: Path, machine: dict[str, str]) -> None:
    debian.KEYRING.unlink()
    with pytest.raises(CannotContinueError, match=r"this machine has no .*keyring\.gpg"):
        fetch(tmp_path, machine)
    debian.KEYRING.touch()
    (tmp_path / "bin/apt-get").unlink()
    with pytest.raises(CannotContinueError, match=r"this machine has no apt; .*uv python install"):
        fetch(tmp_path, machine)

"""A missing peer is a failure that says what to install."""

import re
import socket
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.interop.peers import PACKAGES, free_port, peer


def test_a_peer_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sipp"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peer("sipp") == str(program)


def test_a_peer_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="sipp is not installed; as root, run: apt-get install sip-tester"):
        peer("sipp")


def test_continuous_integration_installs_every_peer() -> None:
    listed = re.search(r"^peers=\((.*)\)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert listed
    assert sorted(listed[1].split()) == sorted(PACKAGES.values())


def test_a_free_port_can_be_bound() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", free_port()))

"""A missing peer is said loudly, and is a failure where it is meant to be there."""

import re
import socket
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.interop import peers
from tests.interop.peers import PACKAGES, free_port, is_taken, missing_peers, peer


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any peer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(peers, "missed", set())
    return tmp_path


def test_a_peer_that_is_there(nothing_installed: Path) -> None:
    program = nothing_installed / "sipp"
    program.touch(0o755)
    assert peer("sipp") == str(program)
    assert missing_peers() == ""


@pytest.mark.usefixtures("nothing_installed")
def test_a_peer_that_is_meant_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPDUM_EXPECT_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match="sipp is not installed; as root, run: apt-get install sip-tester"):
        peer("sipp")


@pytest.mark.usefixtures("nothing_installed")
def test_a_peer_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPDUM_EXPECT_PEERS", raising=False)
    for command in ("sipp", "sipsak"):
        with pytest.raises(pytest.skip.Exception, match=f"{command} is not installed"):
            peer(command)
    assert missing_peers() == ("tests with sipp, sipsak were left out; as root, run: apt-get install sip-tester sipsak")


def test_continuous_integration_installs_every_peer_and_expects_it() -> None:
    script = (ROOT / ".ci/run").read_text()
    listed = re.search(r"^peers=\((.*)\)$", script, re.MULTILINE)
    assert listed
    assert set(PACKAGES.values()) <= set(listed[1].split())
    assert "export SIPDUM_EXPECT_PEERS=1\n" in script


def test_a_free_port_can_be_bound() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        port = free_port()
        assert not is_taken(port)
        again.bind(("127.0.0.1", port))
        assert is_taken(port)

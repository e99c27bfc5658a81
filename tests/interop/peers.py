"""The real peers: where they are, and what to install when they are not there."""

import shutil
import socket

import pytest

# By command: the Debian package that brings it.
PACKAGES = {"sipp": "sip-tester", "sipsak": "sipsak"}


def peer(command: str) -> str:
    """The path of a peer's program.

    Fails the test, naming the Debian package, if the peer is not installed: a test against a real peer that was
    silently left out would look like one that passed.
    """
    found = shutil.which(command)
    if found is None:
        pytest.fail(f"{command} is not installed; as root, run: apt-get install {PACKAGES[command]}", pytrace=False)
    return found


def free_port(family: socket.AddressFamily = socket.AF_INET) -> int:
    """A UDP port on loopback that was free a moment ago, for a peer that has to be told its port beforehand."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        return int(probe.getsockname()[1])

"""The real peers: where they are, and what to install when they are not there."""

import os
import shutil
import socket

import pytest

# By command: the Debian package that brings it.
PACKAGES = {"sipp": "sip-tester", "sipsak": "sipsak"}

# The commands that tests of this run have asked for in vain.
missed: set[str] = set()


def peer(command: str) -> str:
    """The path of a peer's program.

    Without it the test is skipped, and the run says so in its last lines; where SIPDUM_EXPECT_PEERS=1 says that all
    peers are there, as .ci/run does, the test fails: a test against a real peer that was left out would look like one
    that passed.
    """
    found = shutil.which(command)
    if found is None:
        how = f"{command} is not installed; as root, run: apt-get install {PACKAGES[command]}"
        if os.environ.get("SIPDUM_EXPECT_PEERS") == "1":
            pytest.fail(how, pytrace=False)
        missed.add(command)
        pytest.skip(how)
    return found


def missing_peers() -> str:
    """One line about the peers that were asked for in vain and what to install; "" when there were none."""
    if not missed:
        return ""
    packages = " ".join(sorted(PACKAGES[command] for command in missed))
    return f"tests with {', '.join(sorted(missed))} were left out; as root, run: apt-get install {packages}"


def free_port(family: socket.AddressFamily = socket.AF_INET) -> int:
    """A UDP port on loopback that was free a moment ago, for a peer that has to be told its port beforehand."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Says whether somebody listens on a UDP port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False

"""`dum call`: one call, its report and its exit status."""

import json

from tests.dum.cli.processes import dum, serving
from tests.interop.peers import free_port


def test_a_call_that_is_answered() -> None:
    with serving() as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port}", "--hold", "0.1", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["answered"], found["status"], found["by_peer"]) == (True, 200, False)
        assert 0 < found["setup_seconds"] <= found["seconds"]
        assert found["seconds"] - found["setup_seconds"] >= 0.1
        assert server.stop()["calls"]["completed"] == 1


def test_what_people_read() -> None:
    with serving() as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port}", "--hold", "0", "--listen", "udp:127.0.0.1:0")
        assert done.returncode == 0, done.stderr
        ringing, end = done.stdout.splitlines()
        assert ringing == "180 Ringing"
        assert end.startswith("answered after ")
        assert end.endswith("ended by us: 200")
        server.stop()


def test_a_callee_who_hangs_up_first() -> None:
    with serving("--bye", "0") as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port}", "--hold", "3600", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["by_peer"] is True
        server.stop()


def test_a_call_that_is_rejected() -> None:
    with serving("--code", "486") as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port}")
        assert done.returncode == 1
        assert done.stdout.splitlines()[-1] == "not answered: 486 (rejected)"
        server.stop()


def test_a_call_that_rings_for_too_long() -> None:
    with serving("--ring", "3600") as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port}", "--timeout", "0.3", "--json")
        assert done.returncode == 1
        found = json.loads(done.stdout)
        assert (found["answered"], found["status"], found["why"]) == (False, 487, "cancelled")
        server.stop()


def test_a_transport_that_nobody_listens_for() -> None:
    done = dum("call", f"sip:bob@127.0.0.1:{free_port()};transport=tcp", "--listen", "udp:127.0.0.1:0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no socket listens for TCP" in done.stderr


def test_a_call_over_tcp() -> None:
    with serving("--listen", "tcp:127.0.0.1:0") as server:
        done = dum("call", f"sip:bob@127.0.0.1:{server.port};transport=tcp", "--hold", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        found = server.stop()
        assert found["calls"]["completed"] == 1
        assert found["statistics"]["datagrams_in"] == 0


def test_a_name_is_looked_up() -> None:
    with serving() as server:
        done = dum("call", f"sip:bob@localhost:{server.port}", "--hold", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.stop()["calls"]["completed"] == 1

"""`dum load` and `dum call` call SIPp."""

import json
from pathlib import Path

import pytest

from tests.dum.cli.processes import dum
from tests.interop.peers import peer
from tests.interop.sipp import PATIENCE, Sipp
from tests.interop.test_called_by_sipp import CALLS, RATE, RUNS


def test_two_thousand_calls(tmp_path: Path) -> None:
    peer("sipp")
    repeated: list[tuple[int, int]] = []
    for run in range(RUNS):
        directory = tmp_path / str(run)
        directory.mkdir()
        sipp = Sipp(directory, "-sn uas")
        with sipp.answering(CALLS) as process:
            target = f"sip:alice@127.0.0.1:{sipp.port}"
            done = dum("load", target, "--calls", str(CALLS), "--rate", str(RATE), "--json", timeout=2 * PATIENCE)
            assert done.returncode == 0, done.stdout + done.stderr
            counts = sipp.finish(process)
        found = json.loads(done.stdout)
        assert found["calls"] == {"completed": CALLS, "failed": 0, "reasons": {}}
        assert counts["FailedCall"] == 0
        assert counts["IncomingCall"] == CALLS
        repeated.append((counts["Retransmissions"], found["retransmissions"]))
        if repeated[-1] == (0, 0):
            # INVITE, ACK and BYE out, 180 and two 200 in.
            assert found["statistics"]["datagrams_out"] == 3 * CALLS
            assert found["statistics"]["datagrams_in"] == 3 * CALLS
            return
    pytest.fail(f"messages were repeated in each of {RUNS} runs, by SIPp and by us: {repeated}")


@pytest.mark.parametrize(
    "what",
    [
        "uas_invite.xml",
        "< INVITE > 100 > 183 > 180 > 200 < ACK < BYE > 200",
        "< INVITE ~ 700 > 200 < ACK < BYE > 200",
        "< INVITE > 100 ~ 700 > 200 < ACK < BYE > 200",
    ],
)
def test_scenarios(tmp_path: Path, what: str) -> None:
    sipp = Sipp(tmp_path, what)
    with sipp.answering(1) as process:
        done = dum("call", f"sip:alice@127.0.0.1:{sipp.port}", "--hold", "0.2", "--json")
        assert done.returncode == 0, done.stdout + done.stderr + sipp.complaints()
        counts = sipp.finish(process)
    assert counts["FailedCall"] == 0


@pytest.mark.parametrize("status", [404, 486, 503, 603])
def test_rejections(tmp_path: Path, status: int) -> None:
    sipp = Sipp(tmp_path, f"< INVITE > 100 > {status} < ACK")
    with sipp.answering(1) as process:
        done = dum("call", f"sip:alice@127.0.0.1:{sipp.port}", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["status"] == status
        assert sipp.finish(process)["FailedCall"] == 0


def test_a_callee_that_rings_for_too_long_is_cancelled(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, "< INVITE > 100 > 180 < CANCEL > 200 > 487 < ACK")
    with sipp.answering(1) as process:
        done = dum("call", f"sip:alice@127.0.0.1:{sipp.port}", "--timeout", "0.3", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["status"] == 487
        assert sipp.finish(process)["FailedCall"] == 0

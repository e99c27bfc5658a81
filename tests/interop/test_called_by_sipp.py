"""SIPp calls `dum serve`: every call completes, and both sides count the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dum.cli.processes import Serving, serving
from tests.interop.peers import peer
from tests.interop.sipp import Sipp

CALLS = 2000
RATE = 200
# A machine that stands still for T1 = 500 ms has both sides repeat what is already on its way, which says nothing
# about either: one run in so many has to be undisturbed. No call may fail in any.
RUNS = 3


def test_two_thousand_calls(tmp_path: Path) -> None:
    peer("sipp")
    repeated: list[tuple[int, int]] = []
    for run in range(RUNS):
        directory = tmp_path / str(run)
        directory.mkdir()
        with serving() as server:
            counts = Sipp(directory, "-sn uac").call(server.port, CALLS, RATE)
            found = server.stop()
        assert counts["FailedCall"] == 0
        assert found["calls"] == {"received": CALLS, "completed": CALLS, "failed": 0, "reasons": {}}
        repeated.append((counts["Retransmissions"], found["retransmissions"]))
        if repeated[-1] == (0, 0):
            # INVITE, ACK and BYE in; 180 and two 200 out; a 100 only where the 180 took 200 ms.
            assert found["statistics"]["datagrams_in"] == 3 * CALLS
            assert 3 * CALLS <= found["statistics"]["datagrams_out"] <= 4 * CALLS
            return
    pytest.fail(f"messages were repeated in each of {RUNS} runs, by SIPp and by us: {repeated}")


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """One server for what needs nothing special of it."""
    peer("sipp")
    with serving("--ring", "0.1") as running:
        yield running
        found = running.stop()
        assert found["statistics"].get("bugs", 0) == 0
        assert running.process.returncode == 0


@pytest.mark.parametrize(
    "what",
    [
        "options.xml",
        "invite_bye.xml",
        "invite_multi_codec.xml",
        "forking_invite.xml",
        "route_bye.xml",
        "max_forwards_edge_case.xml",
        "reinvite.xml",
        "session_timer_refresh.xml",
        "malformed_sdp.xml",
        "unsupported_method.xml",
        "> OPTIONS < 200",
        "> INVITE < 100? < 180 < 200 > ACK > BYE < 200",
        "> INVITE < 100? < 180 < 200 > ACK > OPTIONS < 200 > BYE < 200",
        "> INVITE < 100? < 180 < 200 > ACK > INVITE < 200 > ACK > INVITE < 200 > ACK > INVITE < 200 > ACK > BYE < 200",
        "> INVITE < 180 ~ 10 > CANCEL < 200 < 487 > ACK",
        "> BYE < 481",
        "> REGISTER < 405",
    ],
)
def test_scenarios(server: Serving, tmp_path: Path, what: str) -> None:
    assert Sipp(tmp_path, what).call(server.port)["FailedCall"] == 0


@pytest.mark.parametrize("status", [480, 486, 500, 503, 603])
def test_rejections(tmp_path: Path, status: int) -> None:
    sipp = Sipp(tmp_path, f"> INVITE < 100? < 180 < {status} > ACK")
    with serving("--code", str(status)) as server:
        sipp.call(server.port, 5, 100)
        found = server.stop()
    assert found["calls"]["reasons"] == {f"{status} rejected": 5}
    # Each had its ACK: none was repeated until Timer H.
    assert found["statistics"]["datagrams_in"] == 10


def test_cancelled_while_it_rings(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, "> INVITE < 183 ~ 300 > CANCEL < 200 < 487 > ACK")
    with serving("--early", "--ring", "3600") as server:
        sipp.call(server.port)
        found = server.stop()
    assert found["calls"] == {"received": 1, "completed": 0, "failed": 1, "reasons": {"487 cancelled": 1}}


def test_hung_up_on(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, "> INVITE < 100? < 180 < 200 > ACK < BYE > 200")
    with serving("--bye", "0.1") as server:
        sipp.call(server.port, 10, 100)
        assert server.stop()["calls"]["completed"] == 10


def test_a_200_that_is_lost_is_sent_again(tmp_path: Path) -> None:
    """The UAS core repeats its 2xx until the ACK comes (RFC 3261 13.3.1.4)."""
    sipp = Sipp(tmp_path, "> INVITE < 100? < 180? < 200{lost=30} > ACK > BYE < 200")
    with serving() as server:
        sipp.call(server.port, 40, 200)
        found = server.stop()
    assert found["calls"]["completed"] == 40
    assert found["retransmissions"] > 0

"""The programs in examples/ call each other."""

import signal
import subprocess
import sys

from tests.architecture.tree import ROOT

PATIENCE = 90.0


def command(name: str, *arguments: str) -> list[str]:
    """How an example is run with what is in this tree, installed or not."""
    program = str(ROOT / "examples" / name)
    return [sys.executable, "-c", f"import runpy; runpy.run_path({program!r}, run_name='__main__')", *arguments]


def test_the_caller_calls_the_server() -> None:
    with subprocess.Popen(
        command("uas.py", "udp:127.0.0.1:0"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as answering:
        try:
            assert answering.stdout is not None
            address = answering.stdout.readline().removeprefix("listening on udp:").strip()
            calling = subprocess.run(
                command("uac.py", f"sip:bob@{address}"),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            answering.send_signal(signal.SIGTERM)
            served, _ = answering.communicate(timeout=PATIENCE)
        finally:
            answering.kill()
    assert calling.returncode == 0, calling.stderr
    ringing, established, ended = calling.stdout.splitlines()
    assert ringing == "180 Ringing"
    assert ended == established.replace("established", "ended") + " 200 bye"
    assert served.splitlines() == [established, ended]
    assert answering.returncode == 0


def test_a_caller_whom_nobody_answers() -> None:
    done = subprocess.run(
        command("uac.py", "sip:bob@127.0.0.1:9"),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("no call: the call ended with ")

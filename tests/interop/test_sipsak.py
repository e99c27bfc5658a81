"""sipsak asks `dum serve` for its OPTIONS."""

import subprocess

from tests.dum.cli.processes import serving
from tests.interop.peers import peer


def test_it_gets_its_200() -> None:
    program = peer("sipsak")
    with serving() as server:
        done = subprocess.run(
            [program, "-vv", "-s", f"sip:test@127.0.0.1:{server.port}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIP/2.0 200 OK" in done.stdout

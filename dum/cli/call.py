"""`dum call`: places one call, holds it and ends it."""

import argparse
import json
import time
from typing import Any

from dum import DialogUsageManager, Progress, Terminated
from dum.cli import arguments
from dum.cli.descriptions import Descriptions

# A BYE or CANCEL that nobody answers is given up after 64*T1, that is 32 s.
_LAST_WORDS = 40.0


def add_to(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "call",
        help="place one call",
        description="Places one call; exit status 0 when it was answered and has ended properly.",
    )
    parser.add_argument("target", type=arguments.target, metavar="URI", help="whom to call, such as sip:127.0.0.1:5060")
    parser.add_argument(
        "--hold", type=arguments.seconds, default=1.0, metavar="S", help="seconds until we hang up (%(default)s)"
    )
    parser.add_argument(
        "--timeout", type=arguments.seconds, default=60.0, metavar="S", help="seconds to wait for an answer (60)"
    )
    arguments.add_listen(parser, "any free UDP port")
    arguments.add_json(parser)
    parser.set_defaults(run=run)


def place_call(manager: DialogUsageManager, target: str, hold: float, timeout: float) -> dict[str, Any]:
    """Place a call on a started manager, end it `hold` seconds after the answer and return what became of it.

    Blocks until it has ended. Raises ValueError for a target that can't be called.
    """
    begun = time.monotonic()
    call = manager.call(target, offer=Descriptions(manager.addresses[0]).offer)
    answered = None
    try:
        call.wait_established(timeout)
        answered = time.monotonic() - begun
        ended = call.wait_ended(hold)
    except Terminated:
        ended = call.wait_ended(_LAST_WORDS)
    except TimeoutError:
        call.end()
        ended = call.wait_ended(_LAST_WORDS)
    return {
        "target": target,
        "call_id": call.call_id,
        "answered": answered is not None,
        "setup_seconds": answered and round(answered, 6),
        "status": ended.status,
        "why": ended.why,
        "by_peer": ended.by_peer,
        "seconds": round(time.monotonic() - begun, 6),
    }


def run(wanted: argparse.Namespace) -> int:
    """Run `dum call`."""
    manager = arguments.open_manager(wanted.listen or arguments.listen_for(wanted.target), workers=1)

    if not wanted.json:

        @manager.on(Progress)
        def show(_call: Any, progress: Progress) -> None:
            print(f"{progress.status} {progress.response.reason}", flush=True)

    with manager:
        found = place_call(manager, wanted.target, wanted.hold, wanted.timeout)
    if wanted.json:
        print(json.dumps(found))
    elif found["answered"]:
        who = "the callee" if found["by_peer"] else "us"
        print(f"answered after {found['setup_seconds'] * 1000:.1f} ms, ended by {who}: {found['status']}")
    else:
        print(f"not answered: {found['status']} ({found['why']})")
    return 0 if found["answered"] and found["status"] == 200 else 1

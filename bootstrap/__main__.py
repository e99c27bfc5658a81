"""`python3 -m bootstrap`: makes `.venv` ready, or says in a few words what stands in the way."""

import os
import signal
import sys
from pathlib import Path

from bootstrap.console import CannotContinueError, say
from bootstrap.environment import prepare

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Returns 0 when `.venv` is ready, 1 when something has to be done first, 128 + n when stopped by signal n."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        prepare(ROOT, os.environ)
    except CannotContinueError as error:
        say(f"{error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; nothing half-made is left")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

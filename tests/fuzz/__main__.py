"""``python -m tests.fuzz SECONDS [--target NAME] [--seed N]``: fuzz everything for so long, in turns."""

import argparse
import faulthandler
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.engine import Coverage, Find, explore, seeds
from tests.fuzz.targets import TARGETS


def until(end: float) -> Callable[[int], bool]:
    """Says whether there is time left."""
    return lambda _: time.monotonic() < end


def main() -> int:
    """0 when nothing was found; 1 with the input kept in fuzz-finds/ when something was."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the codecs, guided by coverage.")
    parser.add_argument("seconds", type=float, help="how long in all")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only this one (may be repeated)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the seed of the random choices")
    arguments = parser.parse_args()
    names = arguments.target or list(TARGETS)
    print(f"seed {arguments.seed}", flush=True)
    for name in names:
        share = arguments.seconds / len(names)
        corpus = seeds()
        start = time.monotonic()
        # A hang has no other way out.
        faulthandler.dump_traceback_later(share + 60, exit=True)
        with Coverage(("dum", "transport")) as coverage:
            try:
                runs = explore(TARGETS[name], corpus, coverage, until(start + share), arguments.seed)
            except Find as find:
                folder = Path("fuzz-finds")
                folder.mkdir(exist_ok=True)
                kept = folder / f"{name}-{hashlib.sha256(find.data).hexdigest()[:12]}"
                kept.write_bytes(find.data)
                print(f"{name}: {find}\nthe input is in {kept}", flush=True)
                return 1
        print(
            f"{name}: {runs} runs, {coverage.seen} places reached, {len(corpus)} inputs kept, nothing found", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

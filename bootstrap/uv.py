"""uv, where there is one: the interpreters it has installed, and installing one more."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic

from bootstrap.command import clean_environment, output_of, run_logged
from bootstrap.console import duration, say

WANTED = "3.14t"
SILENCE_LIMIT = 20.0
"""Seconds without a byte arriving after which a download is given up."""


def program(environment: Mapping[str, str]) -> str | None:
    """uv on PATH or where its own installer puts it, if it runs (a pyenv shim may stand there and not run)."""
    home = environment.get("HOME", "")
    for directories in (environment.get("PATH"), f"{home}/.local/bin", f"{home}/.cargo/bin"):
        found = shutil.which("uv", path=directories)
        if found and output_of([found, "--version"], timeout=10, environment=clean_environment(environment)):
            return found
    return None


def installed(uv: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """The free-threaded interpreters uv knows of on this machine."""
    listing = output_of(
        [uv, "python", "list", "--only-installed", "--offline"], timeout=20, environment=clean_environment(environment)
    )
    for line in (listing or "").splitlines():
        found = re.match(r"\S*(?:freethreaded|t-)\S*\s+(.*?)(?: -> .*)?$", line)
        if found:
            yield Path(found[1])


def install(uv: str, environment: Mapping[str, str], log: Path) -> bool:
    """Has uv download and install a free-threaded CPython; False, after a line saying so, if that cannot be reached.

    Gives up when nothing has arrived for SILENCE_LIMIT seconds.
    """
    say(f"asking uv to install CPython {WANTED} (about 30 s; given up after {duration(SILENCE_LIMIT)} of silence)")
    settings = {**clean_environment(environment), "UV_HTTP_TIMEOUT": str(int(SILENCE_LIMIT))}
    location = output_of([uv, "python", "dir"], timeout=10, environment=settings)
    watch = Arrivals(Path(location.strip())) if location else Arrivals(Path("/nonexistent"))
    if run_logged([uv, "python", "install", WANTED], log=log, environment=settings, watch=watch):
        return True
    say("uv could not download it (no way to its server from here, or too slow)")
    return False


class Arrivals:
    """Answers whether files under `directory` have grown during the last SILENCE_LIMIT seconds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._size = -1
        self._grew_at = monotonic()

    def __call__(self) -> bool:
        size = sum(size_of(Path(top, name)) for top, _, names in os.walk(self._directory) for name in names)
        now = monotonic()
        if size > self._size:
            self._size, self._grew_at = size, now
        return now - self._grew_at < SILENCE_LIMIT


def size_of(file: Path) -> int:
    """The size of a file, 0 if it has gone meanwhile."""
    try:
        return file.lstat().st_size
    except OSError:
        return 0

"""The head of every report: what was measured on, with what, when, and by which method."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "perf" / "results"


def build() -> str:
    """How the interpreter was built, as far as speed is concerned."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    gil = "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"
    flags = [name for name in ("--enable-optimizations", "--with-lto") if name in arguments]
    optimised = "with " + " and ".join(flags) if flags else "without PGO and LTO"
    if not arguments:
        optimised = "build options not known"
    kind = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with GIL"
    return f"CPython {platform.python_version()} {kind}, GIL {gil}, {optimised}, {platform.python_compiler()}"


def commit() -> str:
    """The commit that is checked out, and whether the packages differ from it."""
    try:
        head = git("rev-parse", "--short", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "stm", "transport", "dum", "perf/*.py")
    except (OSError, subprocess.CalledProcessError):
        return "not known"
    return f"{head} (with changes that are not committed)" if changed else head


def git(*arguments: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def load() -> str:
    """How busy the machine is: runnable threads, averaged over one, five and fifteen minutes."""
    return " ".join(f"{average:.1f}" for average in os.getloadavg()) if hasattr(os, "getloadavg") else "not known"


def versions(distributions: Iterable[str]) -> str:
    """The versions of other people's packages that take part."""
    found = []
    for name in distributions:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed: left out")
    return ", ".join(found)


def head(title: str, method: str, distributions: Sequence[str] = ()) -> list[str]:
    """The first lines of a report."""
    lines = [title, "=" * len(title), ""]
    lines += [
        f"interpreter  {build()}",
        f"machine      {platform.system()} {platform.machine()}, {os.cpu_count()} processors, shared with other work",
        f"load         {load()} at the start (runnable threads over 1, 5 and 15 minutes)",
        f"commit       {commit()}",
        f"date         {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
    ]
    if distributions:
        lines.append(f"beside       {versions(distributions)}")
    return [*lines, "", method.strip(), ""]


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median and range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}}-{high:{form}})"

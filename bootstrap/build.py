"""Builds a free-threaded CPython from Debian's source and keeps it for every later clone of this user.

The build goes on in a directory of its own inside the cache, and moves to its final name in one step when it is
complete and has been tried. Whatever interrupts it leaves at most that directory, which the next build removes.
"""

import hashlib
import os
import platform
import shutil
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bootstrap import debian, lock, prerequisites
from bootstrap.command import clean_environment, must_run, run_logged
from bootstrap.console import CannotContinueError, duration, say
from bootstrap.interpreter import Interpreter, probe

CONFIGURE = ("--disable-gil", "--with-ensurepip=install", "--disable-test-modules", "OPT=-DNDEBUG -fwrapv -O3 -Wall")
CPU_SECONDS = 300
UNFINISHED = "unfinished-"


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where this user's builds are kept: sipdum in $XDG_CACHE_HOME, or in ~/.cache."""
    given = environment.get("XDG_CACHE_HOME", "")
    base = Path(given) if os.path.isabs(given) else Path(environment.get("HOME") or Path.home(), ".cache")
    return base / "sipdum"


def build_key() -> str:
    """Tells apart builds that cannot stand for each other: by machine, system and way of building."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    system = (platform.machine(), release.get("ID", ""), release.get("VERSION_ID", ""), *platform.libc_ver())
    return hashlib.sha256(repr((system, CONFIGURE)).encode()).hexdigest()[:8]


def cached(cache: Path, environment: Mapping[str, str]) -> Interpreter | None:
    """The newest earlier build in `cache` that still works."""
    found = [
        interpreter
        for directory in cache.glob(f"python-*t-{build_key()}")
        for interpreter in [tried(directory, environment)]
        if interpreter is not None
    ]
    return max(found, key=lambda interpreter: interpreter.preference, default=None)


def tried(directory: Path, environment: Mapping[str, str]) -> Interpreter | None:
    """The interpreter installed in `directory`, if it is what it should be."""
    for program in sorted(directory.glob("bin/python3.*t")):
        interpreter = probe(program, environment)
        if interpreter and interpreter.free_threaded and interpreter.shortcoming is None:
            return interpreter
    return None


def build(cache: Path, environment: Mapping[str, str]) -> Interpreter:
    """Builds CPython unless another set-up has just done so, and returns the interpreter.

    Raises CannotContinueError, saying what to do, if it cannot be built here.
    """
    waiting = "another set-up is building the interpreter; waiting for it (some minutes)"
    with lock.held(cache / "lock", while_waiting=waiting) as descriptor:
        finished = cached(cache, environment)
        if finished:
            return finished
        for leftover in cache.glob(f"{UNFINISHED}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        log = cache / "build.log"
        log.write_text("")
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=cache) as workplace:
            return build_in(Path(workplace), cache, environment, log, descriptor)


def build_in(workplace: Path, cache: Path, environment: Mapping[str, str], log: Path, descriptor: int) -> Interpreter:
    """Downloads, compiles, installs and tries CPython; only then does it appear in the cache."""
    started = time.monotonic()
    cores = len(os.sched_getaffinity(0))
    prerequisites.provide(environment, log)
    say(f"downloading CPython's source from Debian {debian.SUITE}, verified by its signature (about 15 s)")
    archive = debian.source_archive(workplace, environment, log)
    source = unpacked(archive, workplace, log)
    prefix = cache / f"python-{source.name.removeprefix('Python-')}t-{build_key()}"
    staging = workplace / "staging"
    estimate = duration(30 + CPU_SECONDS / cores)
    say(f"compiling {source.name}, free-threaded, on {cores} cores: about {estimate}, once only (log: {log})")
    settings = clean_environment(environment)
    steps: list[tuple[str, list[str | Path]]] = [
        ("configuring CPython", ["./configure", "-q", f"--prefix={prefix}", *CONFIGURE]),
        ("compiling CPython", ["make", "-s", f"-j{cores}"]),
        ("installing CPython", ["make", "-s", "install", f"DESTDIR={staging}"]),
    ]
    for purpose, command in steps:
        seconds = must_run(purpose, command, log=log, environment=settings, directory=source, keep_open=(descriptor,))
        say(f"  {purpose}: {duration(seconds)}")
    installed = staging / prefix.relative_to("/")
    if tried(installed, environment) is None:
        raise CannotContinueError(f"the CPython just built does not work (no ssl, zlib or ctypes?); see {log}")
    if prefix.exists():
        os.rename(prefix, workplace / "broken")
    os.rename(installed, prefix)
    interpreter = tried(prefix, environment)
    if interpreter is None:
        raise CannotContinueError(f"the CPython installed in {prefix} does not work; remove it and start again")
    say(f"built {interpreter} in {duration(time.monotonic() - started)}")
    return interpreter


def unpacked(archive: Path, workplace: Path, log: Path) -> Path:
    """Unpacks the source archive and returns the directory it holds."""
    try:
        with tarfile.open(archive) as source:
            if hasattr(tarfile, "data_filter"):
                source.extractall(workplace, filter="data")
            else:
                source.extractall(workplace)
    except tarfile.CompressionError:  # this python3 has no lzma
        if not run_logged(["tar", "-C", workplace, "-xf", archive], log=log, environment=os.environ):
            raise CannotContinueError(f"{archive.name} cannot be unpacked; install xz-utils and start again") from None
    (source_directory,) = workplace.glob("Python-*")
    return source_directory

"""The build and the cache it fills: whole or not at all, once for all, whatever comes between.

What is built here is a source archive whose configure and make take no time and install a program that answers the
probe like a Python; everything around them is the real thing.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from bootstrap import build, debian, prerequisites
from bootstrap.console import CannotContinueError
from bootstrap.interpreter import Interpreter
from tests.architecture.tree import ROOT
from tests.bootstrap.fakes import surroundings

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make")

CONFIGURE = """#!/bin/sh
for argument; do case "$argument" in --prefix=*) echo "PREFIX=${argument#*=}" > prefix.mk;; esac; done
"""

MAKEFILE = """include prefix.mk
HERE := $(DESTDIR)$(PREFIX)/bin/python3.13t
all:
\t@COMPILE
install:
\t@mkdir -p $(DESTDIR)$(PREFIX)/bin
\t@printf '#!/bin/sh\\ncat <<END\\n%s\\nEND\\n' '@ANSWER@' | sed 's#@PATH@#$(PREFIX)/bin/python3.13t#' > $(HERE)
\t@chmod +x $(HERE)
"""


def archive(place: Path, compile_with: str = "true", *, missing: tuple[str, ...] = ()) -> Path:
    """Writes a source archive whose compilation is one shell command."""
    answer = {
        "path": "@PATH@",
        "implementation": "cpython",
        "version": [3, 13, 5],
        "final": True,
        "free_threaded": True,
        "missing": missing,
    }
    makefile = MAKEFILE.replace("COMPILE", compile_with).replace("@ANSWER@", json.dumps(answer))
    with tarfile.open(place, "w:xz") as target:
        for name, text in (("configure", CONFIGURE), ("Makefile", makefile)):
            entry = tarfile.TarInfo(f"Python-3.13.5/{name}")
            entry.size, entry.mode = len(text.encode()), 0o755
            target.addfile(entry, io.BytesIO(text.encode()))
    return place


class Machine:
    """A home directory, what is built there, and how often."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cache = home / ".cache/sipdum"
        self.environment = {**surroundings(home), "PATH": os.environ["PATH"]}
        self.source = archive(home / "source.tar.xz", f"echo compiled >> {home}/compiled")

    def build(self) -> Interpreter:
        return build.build(build.cache_directory(self.environment), self.environment)

    @property
    def compiled(self) -> int:
        counted = self.home / "compiled"
        return len(counted.read_text().splitlines()) if counted.exists() else 0

    @property
    def left(self) -> list[str]:
        """What the cache holds, without its lock and its log."""
        return sorted({entry.name for entry in self.cache.iterdir()} - {"lock", "build.log"})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a compiler, and a Debian that gives our archive."""
    found = Machine(tmp_path)
    monkeypatch.setattr(prerequisites, "provide", lambda environment, log: None)
    monkeypatch.setattr(debian, "source_archive", lambda directory, environment, log: found.source)
    return found


def test_built_once_and_found_again(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.cached(machine.cache, machine.environment) is None
    interpreter = machine.build()
    said = capsys.readouterr().err
    assert interpreter.path == machine.cache / f"python-3.13.5t-{build.build_key()}/bin/python3.13t"
    assert "compiling Python-3.13.5, free-threaded" in said
    assert "once only" in said
    assert machine.left == [f"python-3.13.5t-{build.build_key()}"]
    assert build.cached(machine.cache, machine.environment) == interpreter
    assert machine.build() == interpreter
    assert machine.compiled == 1


def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path) -> None:
    assert build.cache_directory({"HOME": "/home/ann"}) == Path("/home/ann/.cache/sipdum")
    assert build.cache_directory({"HOME": "/home/ann", "XDG_CACHE_HOME": "/fast"}) == Path("/fast/sipdum")
    assert build.cache_directory({"HOME": "/home/ann", "XDG_CACHE_HOME": "not/absolute"}).is_relative_to("/home/ann")


def test_a_failing_compilation_says_why_and_leaves_nothing(machine: Machine) -> None:
    archive(machine.source, "echo 'error: no such instruction'; false")
    with pytest.raises(CannotContinueError, match=r"compiling CPython failed(.|\n)*no such instruction"):
        machine.build()
    assert machine.left == []


def test_an_interpreter_without_ssl_never_reaches_the_cache(machine: Machine) -> None:
    archive(machine.source, missing=("ssl",))
    with pytest.raises(CannotContinueError, match="does not work"):
        machine.build()
    assert machine.left == []


def test_what_an_earlier_build_left_half_made_is_removed(machine: Machine) -> None:
    leftover = machine.cache / f"{build.UNFINISHED}x/staging"
    leftover.mkdir(parents=True)
    (leftover / "part").write_text("part")
    machine.build()
    assert machine.left == [f"python-3.13.5t-{build.build_key()}"]


def test_a_build_that_has_stopped_working_is_replaced(machine: Machine) -> None:
    interpreter = machine.build()
    interpreter.path.write_text("#!/bin/sh\nexit 1\n")
    assert build.cached(machine.cache, machine.environment) is None
    assert machine.build() == interpreter
    assert build.cached(machine.cache, machine.environment) == interpreter
    assert machine.compiled == 2


def test_two_at_once_build_once(machine: Machine) -> None:
    barrier = threading.Barrier(2, timeout=30)
    found: list[Interpreter] = []

    def one() -> None:
        barrier.wait()
        found.append(machine.build())

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2
    assert found[0] == found[1]
    assert machine.compiled == 1


RUN = """
import sys
from pathlib import Path
from bootstrap import __main__ as program, build, debian, environment, prerequisites
prerequisites.provide = lambda environment, log: None
debian.source_archive = lambda directory, environment, log: Path(sys.argv[1])
environment.choose = lambda environment: build.build(build.cache_directory(environment), environment)
program.ROOT = Path(sys.argv[2])
sys.exit(program.main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_interrupted_in_the_middle(machine: Machine, number: signal.Signals) -> None:
    """Whatever the signal: the next build succeeds, and no half-made interpreter is ever taken for one."""
    fifo = machine.home / "compiling"
    os.mkfifo(fifo)
    compiling = archive(machine.home / "endless.tar.xz", f"echo started > {fifo}; exec tail -f /dev/null")
    (machine.home / "clone").mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, compiling, machine.home / "clone"],
        cwd=ROOT,
        env=machine.environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert fifo.read_text() == "started\n"
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    if number == signal.SIGKILL:
        assert machine.left != []  # nobody could clean up, and make still runs
        end_orphans(machine.cache / "build.log")
    else:
        assert child.returncode == 128 + number, said.decode()
        assert machine.left == []
    assert build.cached(machine.cache, machine.environment) is None
    assert machine.build().version == (3, 13, 5)
    assert machine.left == [f"python-3.13.5t-{build.build_key()}"]


def end_orphans(log: Path) -> None:
    """Ends the processes that still write to the log of a killed build, and that only."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if os.path.samefile(directory / "fd/1", log):
                os.kill(int(directory.name), signal.SIGKILL)
        except OSError:
            continue

"""The project's environment, `.venv`: made once, completed when pyproject.toml changes, else left alone."""

import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from bootstrap import build, discovery, lock, uv
from bootstrap.command import clean_environment, must_run
from bootstrap.console import duration, say
from bootstrap.interpreter import Interpreter, probe

STAMP = "set-up.txt"


def prepare(root: Path, environment: Mapping[str, str]) -> None:
    """Makes `.venv` in `root` ready: an interpreter, the packages of pyproject.toml and the project itself.

    Does nothing, quickly, if it is ready. Raises CannotContinueError, saying what to do, if it cannot be made.
    """
    with lock.held(root / ".venv.lock", while_waiting="another set-up is at work in this directory; waiting for it"):
        wanted = discovery.named(environment)
        place = root / ".venv"
        interpreter = kept(place, wanted, environment)
        if interpreter is None:
            interpreter = wanted or choose(environment)
            create(place, interpreter, environment)
        stamp = stamp_text(root, interpreter)
        if (place / STAMP).is_file() and (place / STAMP).read_text() == stamp:
            return
        install_packages(root, environment)
        (place / STAMP).write_text(stamp)
        say(f"ready: .venv with {interpreter}")


def kept(place: Path, wanted: Interpreter | None, environment: Mapping[str, str]) -> Interpreter | None:
    """The interpreter of the environment that is already here; None if it is to be made anew.

    An environment stays, whatever it was made from, until it breaks, is moved (its scripts hold its path), or $PYTHON
    names another interpreter.
    """
    stamp = place / STAMP
    if stamp.is_file() and root_line(place.parent) not in stamp.read_text().splitlines():
        return None
    interpreter = probe(place / "bin/python", environment) if (place / "pyvenv.cfg").is_file() else None
    if interpreter is None or interpreter.shortcoming is not None:
        return None
    return interpreter if wanted in (None, interpreter) else None


def choose(environment: Mapping[str, str]) -> Interpreter:
    """A free-threaded interpreter: one that is here, one built earlier, one from uv, or one built now."""
    say("looking for a free-threaded CPython >= 3.13 (on PATH, of uv, of pyenv)")
    cache = build.cache_directory(environment)
    found = discovery.newest_installed(environment) or build.cached(cache, environment)
    if found is None:
        say("none found")
        found = from_uv(environment) or build.build(cache, environment)
    return found


def from_uv(environment: Mapping[str, str]) -> Interpreter | None:
    """An interpreter that uv installs, where there is a uv and it can reach its server."""
    program = uv.program(environment)
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="sipdum-") as directory:
        if not uv.install(program, environment, Path(directory, "log")):
            return None
    return discovery.newest_installed(environment)


def create(place: Path, interpreter: Interpreter, environment: Mapping[str, str]) -> None:
    """Makes an empty environment, in the place of any earlier one."""
    say(f"making .venv from {interpreter} (about 5 s)")
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="sipdum-") as directory:
        command: list[str | Path] = [interpreter.path, "-m", "venv", place]
        log = Path(directory, "log")
        must_run("making .venv", command, log=log, environment=clean_environment(environment))


def install_packages(root: Path, environment: Mapping[str, str]) -> None:
    """Installs what pyproject.toml names, extras included, and the project itself, editable; compiles nothing."""
    say("installing packages into .venv (about 20 s)")
    (root / ".venv" / STAMP).unlink(missing_ok=True)
    project = tomllib.loads((root / "pyproject.toml").read_text())
    extras = ",".join(project["project"]["optional-dependencies"])
    # pip runs quietly and never asks; packages come as wheels or not at all.
    pip: list[str | Path] = [root / ".venv/bin/python", "-m", "pip", "install", "-q", "--no-input"]
    pip += ["--disable-pip-version-check", "--only-binary=:all:"]
    settings = clean_environment(environment)
    with tempfile.TemporaryDirectory(prefix="sipdum-") as directory:
        log = Path(directory, "log")
        seconds = 0.0
        for requirements in (
            project["build-system"]["requires"],
            ["--no-build-isolation", "--editable", f".[{extras}]"],
        ):
            seconds += must_run(
                "installing packages", [*pip, *requirements], log=log, environment=settings, directory=root
            )
    say(f"  installing packages: {duration(seconds)}")


def stamp_text(root: Path, interpreter: Interpreter) -> str:
    """What the environment was made from; when it changes, packages are installed again.

    `free_threaded` is also read by the Makefile, to tell the tests what to expect.
    """
    digest = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
    facts = {
        "interpreter": os.fspath(interpreter.path),
        "version": interpreter.version_text,
        "free_threaded": int(interpreter.free_threaded),
        "pyproject": digest,
    }
    return "\n".join([root_line(root), *(f"{name} = {value}" for name, value in facts.items()), ""])


def root_line(root: Path) -> str:
    """The line of the stamp that says where the environment was made."""
    return f"root = {os.fspath(root)}"

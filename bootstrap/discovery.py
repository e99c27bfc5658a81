"""The interpreters that are already here: the one named in $PYTHON, or the newest free-threaded one to be found."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from glob import glob
from pathlib import Path

from bootstrap import uv
from bootstrap.command import clean_environment, output_of
from bootstrap.console import CannotContinueError, say
from bootstrap.interpreter import Interpreter, probe

PYTHON_NAME = re.compile(r"python3?(\.(1[3-9]|[2-9]\d)(t|-nogil|t-nogil)?)?")


def named(environment: Mapping[str, str]) -> Interpreter | None:
    """The interpreter named in $PYTHON (a path, or a command on PATH); None if none is named.

    It may be one with a GIL: whoever names it has chosen it. Raises CannotContinueError if it cannot be used.
    """
    name = environment.get("PYTHON", "")
    if not name:
        return None
    at_home = re.sub(r"^~(?=/)", environment.get("HOME", "~"), name)
    program = shutil.which(at_home, path=environment.get("PATH"))
    if program is None:
        raise CannotContinueError(f"PYTHON={name}: there is no such program; name a Python >= 3.13, or unset PYTHON")
    interpreter = probe(program, environment)
    if interpreter is None:
        raise CannotContinueError(f"PYTHON={name}: it does not run, or is no Python >= 3")
    if interpreter.shortcoming:
        raise CannotContinueError(f"PYTHON={name}: it {interpreter.shortcoming}")
    return interpreter


def newest_installed(environment: Mapping[str, str]) -> Interpreter | None:
    """The newest free-threaded CPython >= 3.13 on PATH, of uv, or of pyenv; among equals, in this order."""
    usable: dict[Path, Interpreter] = {}
    for interpreter in free_threaded(candidates(environment), environment):
        if interpreter.shortcoming is None:
            usable.setdefault(interpreter.path, interpreter)
        elif interpreter.version[:2] >= (3, 13):
            say(f"passing over {interpreter}: it {interpreter.shortcoming}")
    return max(usable.values(), key=lambda interpreter: interpreter.preference, default=None)


def candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    """Every program that may be a free-threaded Python."""
    for directory in environment.get("PATH", "").split(os.pathsep):
        yield from pythons_in(Path(directory or "."))
    program = uv.program(environment)
    if program:
        yield from uv.installed(program, environment)
    for root in pyenv_roots(environment):
        for version in sorted(glob(f"{root}/versions/*/bin")):
            yield from pythons_in(Path(version))


def pythons_in(directory: Path) -> list[Path]:
    """The programs in `directory` whose names are those of a Python 3.13 or later, or of any Python 3."""
    try:
        return sorted(entry for entry in directory.iterdir() if PYTHON_NAME.fullmatch(entry.name))
    except OSError:
        return []


def pyenv_roots(environment: Mapping[str, str]) -> list[Path]:
    """Where pyenv keeps its versions, whether or not it is on PATH."""
    program = shutil.which("pyenv", path=environment.get("PATH"))
    said = output_of([program, "root"], timeout=10, environment=clean_environment(environment)) if program else None
    places = [(said or "").strip(), environment.get("PYENV_ROOT", ""), environment.get("HOME", "") + "/.pyenv"]
    return list(dict.fromkeys(Path(place) for place in places if place))


def free_threaded(programs: Iterable[Path], environment: Mapping[str, str]) -> Iterator[Interpreter]:
    """Those of `programs` that are free-threaded builds; each file is run once, however many names it has."""
    seen: set[Path] = set()
    for program in programs:
        target = Path(os.path.realpath(program))
        if target in seen or not os.access(target, os.X_OK):
            continue
        interpreter = probe(program, environment)
        if interpreter is None:
            continue
        seen |= {target, interpreter.path}
        if interpreter.free_threaded:
            yield interpreter

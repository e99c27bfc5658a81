"""Programs that stand in for interpreters, uv, apt-get and compilers: small shell scripts in a directory of a test."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from bootstrap.interpreter import Interpreter


def program(place: Path, script: str) -> Path:
    """Writes an executable shell script."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place


def python(
    place: Path,
    version: tuple[int, int, int] = (3, 14, 0),
    *,
    free_threaded: bool = True,
    final: bool = True,
    missing: tuple[str, ...] = (),
    implementation: str = "cpython",
) -> Path:
    """Writes a program that answers the probe as such an interpreter would, and counts its runs in `place`.runs."""
    answer = {
        "path": os.fspath(place),
        "implementation": implementation,
        "version": version,
        "final": final,
        "free_threaded": free_threaded,
        "missing": missing,
    }
    runs = shlex.quote(f"{place}.runs")
    return program(place, f"echo run >> {runs}\ncat <<'END'\n{json.dumps(answer)}\nEND")


def runs_of(place: Path) -> int:
    """How often the program at `place` was run."""
    counted = Path(f"{place}.runs")
    return len(counted.read_text().splitlines()) if counted.exists() else 0


def interpreter(path: Path, version: tuple[int, int, int] = (3, 14, 0), *, free_threaded: bool = True) -> Interpreter:
    """An interpreter as the probe would have found it."""
    return Interpreter(path, "cpython", version, final=True, free_threaded=free_threaded, missing=())


def surroundings(home: Path, *directories: Path, **more: str) -> Mapping[str, str]:
    """An environment with an empty home and nothing on PATH but `directories` and the few tools the fakes use."""
    tools = home / "tools"
    if not tools.exists():
        tools.mkdir(parents=True)
        for name in ("sh", "cat", "echo", "tail", "mkdir", "cp", "mv", "env", "chmod", "touch", "dirname", "true"):
            for where in ("/usr/bin", "/bin"):
                if Path(where, name).exists():
                    (tools / name).symlink_to(Path(where, name))
                    break
    return {"HOME": os.fspath(home), "PATH": os.pathsep.join(map(os.fspath, [*directories, tools])), **more}

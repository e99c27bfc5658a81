"""An interpreter and what it can do, found out by running it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.command import clean_environment, output_of

OLDEST = (3, 13)

# Without these, no environment can be made or filled; a build whose development headers were missing lacks some.
NEEDED_MODULES = ("ssl", "zlib", "ctypes", "venv", "ensurepip")

PROBE = """
import importlib, json, os, sys, sysconfig
missing = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "implementation": sys.implementation.name,
    "version": sys.version_info[:3],
    "final": sys.version_info[3] == "final",
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "missing": missing,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that answered when asked; `path` is the program itself, behind links and environments."""

    path: Path
    implementation: str
    version: tuple[int, int, int]
    final: bool
    free_threaded: bool
    missing: tuple[str, ...]

    @property
    def preference(self) -> tuple[bool, tuple[int, int, int]]:
        """Greater is better: newest first, but no alpha, beta or candidate while there is a final release."""
        return self.final, self.version

    @property
    def shortcoming(self) -> str | None:
        """Why no environment can be made with it, GIL or no GIL; None if one can."""
        if self.implementation != "cpython":
            return f"is {self.implementation}, not CPython"
        if self.version[:2] < OLDEST:
            return f"is Python {self.version_text}, older than 3.13"
        if self.missing:
            return f"lacks the modules {', '.join(self.missing)}"
        return None

    @property
    def version_text(self) -> str:
        """The version as people write it, "3.13.5"."""
        return ".".join(map(str, self.version))

    def __str__(self) -> str:
        kind = "free-threaded" if self.free_threaded else "with the GIL"
        return f"CPython {self.version_text} {kind} ({self.path})"


def probe(program: str | Path, environment: Mapping[str, str], *, timeout: float = 20) -> Interpreter | None:
    """Runs `program` and asks it what it is; None if it does not run, or does not answer like a Python."""
    output = output_of(
        [program, "-c", PROBE, *NEEDED_MODULES], timeout=timeout, environment=clean_environment(environment)
    )
    try:
        answer = json.loads(output or "")
        return Interpreter(
            path=Path(answer["path"]),
            implementation=answer["implementation"],
            version=tuple(answer["version"]),
            final=answer["final"],
            free_threaded=answer["free_threaded"],
            missing=tuple(answer["missing"]),
        )
    except (ValueError, KeyError, TypeError):
        return None

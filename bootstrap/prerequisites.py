"""What compiling CPython takes: a compiler, make and the headers of a few libraries."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.command import clean_environment, output_of, run_logged
from bootstrap.console import CannotContinueError, say


@dataclass(frozen=True)
class Library:
    """A library with what shows that it can be compiled and linked against."""

    package: str
    header: str
    link: str
    gives: str


# Without these, the interpreter could not run pip, or could not be compiled at all.
NEEDED = (
    Library("libc6-dev", "stdio.h", "-lm", "any program at all"),
    Library("zlib1g-dev", "zlib.h", "-lz", "zlib, which pip needs"),
    Library("libssl-dev", "openssl/ssl.h", "-lssl -lcrypto", "ssl, which pip and TLS need"),
    Library("libffi-dev", "ffi.h", "-lffi", "ctypes"),
)

# With these, the interpreter is complete; sipdum runs without them.
WANTED = (
    Library("libsqlite3-dev", "sqlite3.h", "-lsqlite3", "sqlite3, which coverage needs"),
    Library("libbz2-dev", "bzlib.h", "-lbz2", "bz2"),
    Library("liblzma-dev", "lzma.h", "-llzma", "lzma"),
    Library("libreadline-dev", "readline/readline.h", "-lreadline", "line editing in the interpreter"),
)


def missing_packages(environment: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The Debian packages that are needed, and those that are wanted, and not here."""
    tools = [package for package in ("gcc", "make") if not shutil.which(package, path=environment.get("PATH"))]
    if "gcc" in tools:
        return tools + [library.package for library in NEEDED], [library.package for library in WANTED]
    needed = [library.package for library in NEEDED if not links(library, environment)]
    wanted = [library.package for library in WANTED if not links(library, environment)]
    return tools + needed, wanted


def links(library: Library, environment: Mapping[str, str]) -> bool:
    """Says whether a program that includes the library's header compiles and links, asking gcc itself."""
    with tempfile.TemporaryDirectory(prefix="sipdum-") as directory:
        source = Path(directory, "try.c")
        source.write_text(f"#include <stdio.h>\n#include <{library.header}>\nint main(void) {{ return 0; }}\n")
        arguments: list[str | Path] = ["gcc", source, "-o", Path(directory, "try"), *library.link.split()]
        return output_of(arguments, timeout=60, environment=clean_environment(environment)) is not None


def provide(environment: Mapping[str, str], log: Path) -> None:
    """Makes sure that CPython can be compiled, installing Debian packages where that is allowed without asking.

    Raises CannotContinueError, naming the packages, if something needed is missing and cannot be installed.
    """
    needed, wanted = missing_packages(environment)
    if not needed and not wanted:
        return
    prefix = as_root(environment)
    if prefix is not None and shutil.which("apt-get", path=environment.get("PATH")):
        say(f"installing Debian packages to compile with: {' '.join(needed + wanted)} (about 30 s)")
        install(prefix, needed + wanted, environment, log)
        needed, wanted = missing_packages(environment)
    if needed:
        raise CannotContinueError(
            "compiling a free-threaded CPython needs Debian packages that are not installed; as root, run\n\n"
            f"    apt-get install {' '.join(needed + wanted)}\n\n"
            "and start again, or name a free-threaded Python >= 3.13 in $PYTHON"
        )
    if wanted:
        gone = ", ".join(library.gives for library in WANTED if library.package in wanted)
        say(f"going on without {' '.join(wanted)}: the interpreter will lack {gone}")


def as_root(environment: Mapping[str, str]) -> list[str] | None:
    """What to put before a command for it to run as root without a question; None if that is not possible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo", path=environment.get("PATH"))
    if sudo and output_of([sudo, "-n", "true"], timeout=10, environment=environment) is not None:
        return [sudo, "-n"]
    return None


def install(prefix: list[str], packages: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Installs Debian packages; the caller looks whether they have come."""
    settings = {**clean_environment(environment), "DEBIAN_FRONTEND": "noninteractive"}
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "Acquire::Retries=3"]
    run_logged([*command, "update"], log=log, environment=settings)
    run_logged([*command, "install", "--no-install-recommends", *packages], log=log, environment=settings)

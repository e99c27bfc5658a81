"""CPython's source from Debian, whose signature on it apt verifies; the machine's own apt stays as it is.

apt is run with lists, cache and sources of its own. It follows the chain from Debian's keyring over InRelease and
Sources to the checksum of the source archive, and downloads nothing that is not in it.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from bootstrap.command import clean_environment, output_of, run_logged, tail
from bootstrap.console import CannotContinueError

SUITE = "trixie"
PACKAGE = "python3.13"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR_VARIABLE = "SIPDUM_DEBIAN_MIRROR"
MIRRORS_TRIED = 3


def source_archive(directory: Path, environment: Mapping[str, str], log: Path) -> Path:
    """Downloads CPython's source archive into `directory` and returns its path.

    Raises CannotContinueError if this machine has no apt or no Debian keyring, or if no mirror gives the source.
    """
    for thing, package in ((shutil.which("apt-get", path=environment.get("PATH")), "apt"), (KEYRING.exists(), KEYRING)):
        if not thing:
            raise CannotContinueError(
                f"no free-threaded Python >= 3.13 here, and none can be built, because this machine has no {package}; "
                "install one (`uv python install 3.14t` is a way) and start again, or name it in $PYTHON"
            )
    mirrors = mirrors_of_this_machine(environment)
    if not mirrors:
        raise CannotContinueError(
            "this machine's apt names no Debian mirror to take CPython's source from; "
            f"name one in {MIRROR_VARIABLE} (the URL that has dists/{SUITE} below it)"
        )
    for mirror in mirrors:
        archive = download(mirror, directory, environment, log)
        if archive is not None:
            return archive
    raise CannotContinueError(
        f"the source of {PACKAGE} could not be had from Debian {SUITE} on {', '.join(mirrors)}; is the network up? "
        f"Another mirror can be named in {MIRROR_VARIABLE}. The end of apt's output:\n\n{tail(log)}"
    )


def mirrors_of_this_machine(environment: Mapping[str, str]) -> list[str]:
    """The mirror named in $SIPDUM_DEBIAN_MIRROR, or else those of the machine's own apt configuration."""
    if environment.get(MIRROR_VARIABLE):
        return [environment[MIRROR_VARIABLE]]

    def listed(*options: str) -> list[str]:
        command = ["apt-get", "indextargets", *options]
        return (output_of(command, timeout=60, environment=clean_environment(environment)) or "").splitlines()

    # Where apt has never been updated, as in a fresh container, it knows its mirrors but not whose they are.
    origins = [line.partition("|") for line in listed("--format", "$(ORIGIN)|$(REPO_URI)")]
    known = [uri for origin, _, uri in origins if origin == "Debian"]
    others = listed("--no-release-info", "--format", "$(REPO_URI)")
    found = dict.fromkeys(known or sorted(others, key=lambda uri: "debian" not in uri))
    return sorted(found, key=lambda uri: "security" in uri)[:MIRRORS_TRIED]


def download(mirror: str, directory: Path, environment: Mapping[str, str], log: Path) -> Path | None:
    """Has a private apt fetch the source archive from one mirror; None if that fails (the log says why)."""
    private = directory / "apt"
    shutil.rmtree(private, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial", "sources.d"):
        (private / name).mkdir(parents=True)
    sources = private / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": private / "sources.d",
        "Dir::State::lists": private / "lists",
        "Dir::Cache": private / "cache",
        "APT::Sandbox::User": "",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::AllowInsecureRepositories": "false",
        "APT::Update::Error-Mode": "any",
        "Acquire::Retries": 3,
        "Acquire::http::Timeout": 20,
        "Acquire::https::Timeout": 20,
    }
    command = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    for arguments in (["update"], ["source", "--download-only", "--tar-only", PACKAGE]):
        if not run_logged(
            [*command, *arguments], log=log, environment=clean_environment(environment), directory=directory
        ):
            return None
    archives = sorted(directory.glob(f"{PACKAGE}_*.orig.tar.*"))
    return archives[-1] if archives else None

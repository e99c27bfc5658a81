"""Who may import whom. The table is the architecture; a module without a place in it fails."""

import sys
from pathlib import Path

import pytest

from tests.architecture.tree import (
    PACKAGES,
    PROJECT,
    ROOT,
    belongs_to,
    files,
    imports_of,
    is_module,
    module_of,
    modules,
    name_of,
    tree_of,
)

# From the bottom up: each may import those before it, and itself. Pure: (state, event) -> (new state, effects).
PURE = (
    "dum.errors",
    "dum.message",
    "dum.timers",
    "dum.ids",
    "dum.profile",
    "dum.events",
    "dum.effects",
    "dum.responding",
    "dum.fsm",
    "dum.auth.digest",
    "dum.transaction",
    "dum.dialog",
    "dum.usage",
)

# The only files that act. They may import anything of the project, and nothing pure may import them.
ACTING = (
    "dum.auth",
    "dum.draw",
    "dum.bell",
    "dum.core",
    "dum.inline",
    "dum.outlet",
    "dum.transactions",
    "dum.stack",
    "dum.runner",
    "dum.workers",
    "dum.call",
    "dum.manager",
    "dum.store",
    "dum.cli",
    "dum.draw",
)

# What reads a clock, draws a random number, touches the world or another thread.
IMPURE = {
    *("time", "datetime", "random", "secrets", "uuid"),
    *("os", "io", "pathlib", "tempfile", "subprocess", "signal", "logging"),
    *("socket", "ssl", "select", "selectors", "asyncio"),
    *("threading", "_thread", "multiprocessing", "concurrent", "queue", "contextvars"),
    *("stm", "transport"),
}
EXCEPT = {"dum.ids": {"os"}}  # the only randomness

# Libraries from outside, by the package that may use them.
LIBRARIES = {
    "stm": {"sortedcontainers"},
    "transport": {"sortedcontainers", "wsproto", "dns"},
    "dum.cli": {"rich"},
}


def place_of(module: str) -> str | None:
    """The entry of the tables above that a module falls under: the longest, so that auth.digest is not auth."""
    entries = [entry for entry in (*PURE, *ACTING) if belongs_to(module, entry)]
    return max(entries, key=len, default=None)


def project_imports(file: Path) -> list[tuple[int, str]]:
    """What a file imports of the packages."""
    return [(line, name) for line, name in imports_of(file) if name.split(".")[0] in PROJECT]


def test_every_module_of_dum_has_its_place() -> None:
    homeless = [module for module in modules() if module.startswith("dum.") and place_of(module) is None]
    assert not homeless, f"give these a place in the tables of {Path(__file__).name}: {homeless}"


@pytest.mark.parametrize(("package", "allowed"), [("stm", {"stm"}), ("transport", {"stm", "transport"})])
def test_the_packages_below_do_not_know_those_above(package: str, allowed: set[str]) -> None:
    wrong = [
        f"{name_of(file)}:{line}: {package} imports {name}"
        for file in files(package)
        for line, name in project_imports(file)
        if name.split(".")[0] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_modules_import_downwards_only() -> None:
    wrong = []
    for module, file in modules().items():
        place = place_of(module)
        if place not in PURE:
            continue
        below = PURE[: PURE.index(place) + 1]
        wrong += [
            f"{name_of(file)}:{line}: {place} imports {name}"
            for line, name in project_imports(file)
            if place_of(name) not in below
        ]
    assert not wrong, "\n".join(wrong)


def test_pure_modules_stay_pure() -> None:
    wrong = [
        f"{name_of(file)}:{line}: {place} imports {name}"
        for module, file in modules().items()
        for place in [place_of(module)]
        if place in PURE
        for line, name in imports_of(file)
        if name.split(".")[0] in IMPURE - EXCEPT.get(place, set())
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_but_tests_imports_tests_and_tools() -> None:
    wrong = [
        f"{name_of(file)}:{line}: imports {name}"
        for file in files(*PACKAGES)
        for line, name in project_imports(file)
        if name.split(".")[0] not in PACKAGES
    ]
    assert not wrong, "\n".join(wrong)


def test_libraries_are_those_agreed() -> None:
    wrong = []
    for file in files(*PACKAGES):
        module = module_of(file)
        allowed = set().union(*(names for package, names in LIBRARIES.items() if belongs_to(module, package)))
        for line, name in imports_of(file):
            top = name.split(".")[0]
            if top not in PROJECT and top not in sys.stdlib_module_names and top not in allowed:
                wrong.append(f"{name_of(file)}:{line}: imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_bootstrap_needs_the_standard_library_only() -> None:
    wrong = [
        f"{name_of(file)}:{line}: imports {name}"
        for file in files("bootstrap")
        for line, name in imports_of(file)
        if name.split(".")[0] not in sys.stdlib_module_names | {"bootstrap"}
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_is_imported_that_does_not_exist() -> None:
    wrong = [
        f"{name_of(file)}:{line}: imports {name}"
        for file in files(*PROJECT)
        for line, name in project_imports(file)
        if not is_module(name) and not (ROOT / name.replace(".", "/")).is_dir()
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_cycles() -> None:
    graph = {
        module: [name for _, name in imports_of(file, at_run_time=True) if name in modules() and name != module]
        for module, file in modules().items()
    }
    done: set[str] = set()

    def follow(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"import cycle: {' -> '.join([*path[path.index(module) :], module])}"
        if module not in done:
            for name in graph[module]:
                follow(name, (*path, module))
            done.add(module)

    for module in graph:
        follow(module, ())


def test_the_rules_see_what_they_should() -> None:
    """The tables are only as good as the reader of imports: it has to see every form."""
    seen = {name for _, name in imports_of(Path(__file__))}
    assert {"sys", "pathlib", "pytest", "tests.architecture.tree"} <= seen
    assert place_of("dum.auth.digest") == "dum.auth.digest"
    assert place_of("dum.auth.client") == "dum.auth"
    assert place_of("dum.messages") is None
    assert tree_of(Path(__file__)).body

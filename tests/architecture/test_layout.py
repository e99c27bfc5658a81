"""Where things lie and how large they are."""

import ast
import tomllib
from pathlib import Path

from tests.architecture.tree import MIRRORED, PACKAGES, PROJECT, ROOT, files, module_of, name_of, tree_of

FILE_LINES = 500
FUNCTION_LINES = 50
NOT_A_NAME = {"utils", "util", "common", "base", "helpers", "misc"}


def place_of_test(file: Path) -> Path:
    """The test file of a source file: dum/message/_via.py -> tests/dum/message/test_via.py."""
    below = file.relative_to(ROOT)
    return ROOT / "tests" / below.parent / f"test_{below.name.lstrip('_')}"


def test_one_test_file_for_each_source_file() -> None:
    missing = [
        f"{name_of(file)} has no {name_of(place)}"
        for file in files(*MIRRORED)
        if file.name not in {"__init__.py", "__main__.py"}
        for place in [place_of_test(file)]
        if not place.is_file()
    ]
    assert not missing, "\n".join(missing)


def test_files_are_short() -> None:
    sizes = {name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files(*PROJECT)}
    long = [f"{name}: {size} lines, more than {FILE_LINES}" for name, size in sizes.items() if size > FILE_LINES]
    assert not long, "\n".join(long)


def test_functions_are_short() -> None:
    long = [
        f"{name_of(file)}:{node.lineno}: {node.name} has {size} lines, more than {FUNCTION_LINES}"
        for file in files(*PROJECT)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for size in [(node.end_lineno or node.lineno) - node.lineno + 1]
        if size > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_modules_are_named_after_what_they_hold() -> None:
    vague = [name_of(file) for file in files(*PROJECT) if NOT_A_NAME & {*file.relative_to(ROOT).parts, file.stem}]
    assert not vague, f"name these after what they hold: {vague}"


def test_pyproject_lists_every_package() -> None:
    found = {module_of(file.parent / "__init__.py") for file in files(*PACKAGES)}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert set(listed) - set(PACKAGES) == found - set(PACKAGES), "packages in pyproject.toml and in the tree differ"
    assert len(listed) == len(set(listed))


def test_every_package_says_what_it_is() -> None:
    missing = {
        name_of(file.parent) for file in files(*PACKAGES, "bootstrap") if not (file.parent / "__init__.py").is_file()
    }
    assert not missing, f"no __init__.py in {sorted(missing)}"


def test_every_package_is_typed() -> None:
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)

"""The source tree as these tests see it: files, their modules, their syntax trees and what they import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("stm", "transport", "dum")
MIRRORED = (*PACKAGES, "bootstrap")
PROJECT = (*MIRRORED, "tests", "perf")


@cache
def files(*tops: str) -> tuple[Path, ...]:
    """Every Python file below the named directories of the root, sorted; a directory need not exist yet."""
    return tuple(file for top in tops for file in sorted((ROOT / top).rglob("*.py")))


@cache
def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a file; parsed once."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def name_of(file: Path) -> str:
    """The path of a file as people write it, from the root."""
    return file.relative_to(ROOT).as_posix()


def module_of(file: Path) -> str:
    """The dotted name that a file is imported by."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, Path]:
    """The modules of the packages by dotted name."""
    return {module_of(file): file for file in files(*PACKAGES)}


def belongs_to(module: str, package: str) -> bool:
    """Says whether a module is `package` or lies below it."""
    return module == package or module.startswith(package + ".")


def imports_of(file: Path, *, at_run_time: bool = False) -> Iterator[tuple[int, str]]:
    """The line and dotted name of everything a file imports, anywhere in it.

    `from a import b` counts as a.b where that is a module of this project, else as a. With `at_run_time`, what is
    imported only for type checkers, or only when a function is called, is left out.
    """
    tree = tree_of(file)
    left_out = deferred(tree) if at_run_time else frozenset()
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(file, node)
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield node.lineno, name if is_module(name) else base


def deferred(tree: ast.Module) -> frozenset[ast.AST]:
    """The nodes that do not run when the module is imported."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if later or typing_only:
            found.update(ast.walk(node))
    return frozenset(found)


def absolute(file: Path, node: ast.ImportFrom) -> str:
    """The dotted name after `from`, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    parts = file.relative_to(ROOT).parts
    return ".".join([*parts[: len(parts) - node.level], *([node.module] if node.module else [])])


def is_module(dotted: str) -> bool:
    """Says whether a dotted name is a module or package of this project."""
    place = ROOT.joinpath(*dotted.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """The classes and functions a module defines, and the members of its classes, with their qualified names.

    What is defined inside a function is its own affair and is left out.
    """
    waiting: list[tuple[str, list[ast.stmt]]] = [("", tree.body)]
    while waiting:
        prefix, body = waiting.pop()
        for node in body:
            if isinstance(node, ast.If | ast.Try | ast.With):
                waiting.append((prefix, [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]))
            elif isinstance(node, ast.ClassDef):
                yield prefix + node.name, node
                waiting.append((f"{prefix}{node.name}.", node.body))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name, node

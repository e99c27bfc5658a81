"""Words: RFC terms spelt out, a docstring on everything public, and `__all__` that tells the truth.

That `__all__` is sorted is ruff's rule RUF022.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import MIRRORED, PACKAGES, PROJECT, Definition, definitions, files, name_of, tree_of

# Not RFC words. They may stand in no name and in no comment or docstring.
FORBIDDEN = {"tsx": "transaction", "ict": "INVITE client transaction", "leg": "dialog"}

# Abbreviations that no name of ours may hold.
SPELL_OUT = {"cfg": "configuration", "ctx": "say what it is", "msg": "message", "addr": "address", "req": "request"}

# Names that the operating system gave, for constants that Python's socket module does not have.
GIVEN_BY_OTHERS = {"_MSG_ERRQUEUE"}

THIS = Path(__file__)


def words_of(name: str) -> set[str]:
    """The words in an identifier, lower case: "sentByHost" and "sent_by_host" hold the same three."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def given_names(file: Path) -> Iterator[tuple[int, str]]:
    """Every name that a file itself gives to something."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Comments, and strings of more than one word."""
    for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            yield token.start[0], token.string


def test_names_are_spelt_out() -> None:
    wrong = [
        f"{name_of(file)}:{line}: {name}: {word} -> {(FORBIDDEN | SPELL_OUT)[word]}"
        for file in files(*PROJECT)
        for line, name in given_names(file)
        if name not in GIVEN_BY_OTHERS
        for word in words_of(name) & (FORBIDDEN.keys() | SPELL_OUT.keys())
    ]
    assert not wrong, "\n".join(wrong)


def test_prose_uses_the_words_of_the_rfcs() -> None:
    pattern = re.compile(rf"\b({'|'.join(FORBIDDEN)})s?\b", re.IGNORECASE)
    wrong = [
        f"{name_of(file)}:{line}: {found[0]} -> {FORBIDDEN[found[1].lower()]}"
        for file in files(*PROJECT)
        if file != THIS
        for line, text in prose(file)
        for found in pattern.finditer(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_one_class_is_called_a_manager() -> None:
    managers = [
        f"{name_of(file)}:{node.lineno}: {name}"
        for file in files(*PACKAGES)
        for name, node in definitions(tree_of(file))
        if isinstance(node, ast.ClassDef) and "manager" in words_of(node.name) and name != "DialogUsageManager"
    ]
    assert not managers, "\n".join(managers)


def documented_elsewhere(node: Definition) -> bool:
    """Says whether a definition is marked as one of several overloads, or as overriding a documented method."""
    marks = {ast.unparse(decorator).removeprefix("typing.") for decorator in node.decorator_list}
    return bool(marks & {"overload", "override"}) or any(mark.endswith(".setter") for mark in marks)


def test_everything_public_has_a_docstring() -> None:
    silent = []
    for file in files(*MIRRORED):
        if not ast.get_docstring(tree_of(file)):
            silent.append(f"{name_of(file)}:1: the module")
        for name, node in definitions(tree_of(file)):
            private = any(part.startswith("_") for part in name.split("."))
            if not private and not documented_elsewhere(node) and not ast.get_docstring(node):
                silent.append(f"{name_of(file)}:{node.lineno}: {name}")
    assert not silent, "public, and without a docstring:\n" + "\n".join(silent)


def bound_names(tree: ast.Module) -> set[str]:
    """The names that importing a module binds in it."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return bound


def exported(tree: ast.Module) -> list[str] | None:
    """The names in `__all__`, or None if the module has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(node).split("=")[0]:
            return list(ast.literal_eval(node.value)) if node.value else []
    return None


@pytest.mark.parametrize("file", files(*MIRRORED), ids=name_of)
def test_all_is_true(file: Path) -> None:
    names = exported(tree_of(file))
    if names is None:
        return
    assert len(names) == len(set(names)), "a name stands twice in __all__"
    assert not set(names) - bound_names(tree_of(file)), "__all__ promises what is not there"
    assert not [name for name in names if name.startswith("_")], "__all__ makes a private name public"


def test_a_package_that_imports_for_others_says_so() -> None:
    """A name imported into an __init__.py is public there, and stands in __all__."""
    wrong = []
    for file in files(*MIRRORED):
        tree = tree_of(file)
        imported = {
            (alias.asname or alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module != "__future__"
            for alias in node.names
        }
        if file.name == "__init__.py" and imported and exported(tree) is None:
            wrong.append(name_of(file))
    assert not wrong, f"no __all__ in {wrong}"

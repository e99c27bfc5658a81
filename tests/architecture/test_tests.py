"""What the tests themselves must not do."""

import ast

from tests.architecture.tree import files, name_of, tree_of


def test_no_test_sleeps() -> None:
    """A test that sleeps is slow where it is right and wrong where the machine is slow: wait for the event itself."""
    sleepers = [
        f"{name_of(file)}:{node.lineno}"
        for file in files("tests")
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep"
    ]
    assert not sleepers, "\n".join(sleepers)

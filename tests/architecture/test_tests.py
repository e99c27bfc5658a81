"""What the tests themselves must not do."""

import ast

from tests.architecture.tree import files, name_of, tree_of

# By their modules: a class of ours may have a method of that name, which wakes when it should.
SLEEPS = {"sleep", "time.sleep", "asyncio.sleep"}


def test_no_test_sleeps() -> None:
    """A test that sleeps is slow where it is right and wrong where the machine is slow: wait for the event itself."""
    sleepers = [
        f"{name_of(file)}:{node.lineno}"
        for file in files("tests")
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SLEEPS
    ]
    assert not sleepers, "\n".join(sleepers)

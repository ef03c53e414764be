"""A function's package has every module of keyfront's that its modules import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from keyfront.packaging import FUNCTIONS
from keyfront.packaging.contents import ours


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_its_modules_import_is_in_the_package(function: str) -> None:
    files = ours(function)
    modules = {_name(path) for path in files if path.endswith(".py")}
    assert FUNCTIONS[function].rpartition(".")[0] in modules
    missing = {
        f"{path} imports {name}"
        for path, content in files.items()
        if path.endswith(".py")
        for name in _imports(ast.parse(content))
        if name.split(".")[0] == "keyfront" and name not in modules
    }
    assert missing == set()


def _name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(tree: ast.AST) -> Iterator[str]:
    """What a module imports when it is imported, but for what only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(node)

"""Rules of the house that the import contracts in ``pyproject.toml`` cannot state, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "app/spikebridge"
TESTS = PACKAGE.parents[1] / "tests"

#: What talks to the terminal or draws; everything else is the core.
_INTERFACES = ("__main__", "bench", "commands", "doctor", "terminal", "ui")
#: Missing on many machines, or slow to import: imported inside functions only.
_LAZY = (
    *("dv_processing", "faery", "grpc", "matplotlib", "metavision_core", "metavision_hal", "neuromorphic_drivers"),
    *("nir", "onnx", "onnxruntime", "tritonclient"),
)


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node


def _at_import_time(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: those outside of functions."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.stmt):
            yield node
        pending.extend(ast.iter_child_nodes(node))


def test_sdks_are_imported_inside_functions() -> None:
    eager: list[str] = []
    for path in _sources():
        tree = _parse(path)
        now = list(_at_import_time(tree))
        eager += [
            f"{path.relative_to(PACKAGE)}:{node.lineno} imports {name}"
            for name, node in _imports(tree)
            if name.split(".")[0] in _LAZY and node in now
        ]
    assert eager == []


def test_no_relative_imports() -> None:
    relative = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _sources()
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_core_does_not_print() -> None:
    printing = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _sources()
        if path.relative_to(PACKAGE).with_suffix("").parts[0] not in _INTERFACES
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_every_room_is_a_package() -> None:
    """A folder without ``__init__.py`` imports all the same, but the import contracts do not see it."""
    folders = {path.parent for path in _sources()}
    assert [str(folder.relative_to(PACKAGE)) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_warnings_of_tests_can_be_read_by_every_process() -> None:
    """xdist reads a worker's warning by importing the module of its class. A module that only workers know, such as one
    beside a ``conftest.py``, ends the whole run with an internal error."""
    own = [
        f"{path.relative_to(TESTS)}: {node.name}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Warning") for base in node.bases)
    ]
    assert own == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a\ndef f():\n    import b\nclass C:\n    import c\nif True:\n    import d\n", {"a", "c", "d"}),
        ("if TYPE_CHECKING:\n    import a\nfrom b import c\n", {"b"}),
    ],
)
def test_statements_at_import_time_are_told_apart(source: str, expected: set[str]) -> None:
    tree = ast.parse(source)
    assert {name for name, node in _imports(tree) if node in list(_at_import_time(tree))} == expected

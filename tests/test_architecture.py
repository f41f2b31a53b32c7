"""The direction of dependencies, the seams of the SDKs and what the core keeps out of, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "app/spikebridge"

#: First part of the module's name → layer. A module imports from its own layer and from lower ones only.
LAYERS = {
    "contracts": ("bundle", "contracts", "errors", "events", "files", "resources"),
    "adapters": (
        *("ann", "binning", "bridge", "decision", "inbox", "latency", "power", "simulator", "snn", "sources"),
    ),
    "pipeline": ("chain", "pipeline", "report", "runtime", "session", "status"),
    "datasets": ("datasets",),
    "evaluation": ("evaluation",),
    "training": ("training",),
    "study": ("study",),
    "interfaces": (
        "__init__",
        "__main__",
        "bench",
        "cli",
        "commands",
        "dashboard",
        "doctor",
        "headless",
        "options",
        "serve",
        "ui",
    ),
}
_RANK = {module: rank for rank, modules in enumerate(LAYERS.values()) for module in modules}
#: What draws or talks to the terminal; everything else is the core.
_INTERFACES = LAYERS["interfaces"]
_QT = ("PyQt6", "pyqtgraph")
#: SDKs with exactly one file that imports them, inside a function.
_SDKS = (
    "dv_processing",
    "faery",
    "grpc",
    "matplotlib",
    "metavision_core",
    "metavision_hal",
    "neuromorphic_drivers",
    "nir",
    "onnx",
    "onnxruntime",
    "tritonclient",
)


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    """First part of the module's name below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def _imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "spikebridge":
                yield from ((f"spikebridge.{alias.name}", node) for alias in node.names)
            else:
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


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_from_its_own_layer_and_lower_ones(path: Path) -> None:
    module = _name(path)
    assert module in _RANK, f"{module} is in no layer: add it to LAYERS"
    for name, node in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        if not name.startswith("spikebridge."):
            continue
        target = name.split(".")[1]
        if not (PACKAGE / target).is_dir() and not (PACKAGE / f"{target}.py").is_file():
            continue  # a name of the package itself, such as __version__
        assert _RANK[target] <= _RANK[module], f"{path.name}:{node.lineno} imports {name}, which lies above it"


def test_no_relative_imports() -> None:
    """But for Lava's worker, which runs where this package is not installed."""
    relative = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _sources()
        if "worker" not in path.relative_to(PACKAGE).parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_only_the_window_imports_qt() -> None:
    users = {
        _name(path)
        for path in _sources()
        for name, _ in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] in _QT
    }
    assert users <= {"ui", "bench"}


@pytest.mark.parametrize("sdk", _SDKS)
def test_sdk_is_imported_in_one_file_and_lazily(sdk: str) -> None:
    users: list[str] = []
    for path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [node for name, node in _imports(tree) if name.split(".")[0] == sdk]
        if nodes:
            users.append(str(path.relative_to(PACKAGE)))
        eager = [node.lineno for node in _at_import_time(tree) if node in nodes]
        assert not eager, f"{path.name}:{eager} imports {sdk} when the module is imported"
    assert len(users) <= 1, f"{sdk} is imported in {users}; all but one should go through the other"


def test_torch_stays_in_training_and_study_and_lava_in_its_worker() -> None:
    """Data sets and evaluation import no torch, not even within a function."""
    users = {
        (root, _name(path))
        for path in _sources()
        for name, _ in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if (root := name.split(".")[0]) in ("torch", "lava")
    }
    assert users <= {("torch", "training"), ("torch", "study"), ("lava", "snn")}


def test_modules_do_not_import_each_other_in_circles() -> None:
    """Imports within functions count as well: whoever changes one module of a circle changes them all."""
    modules = {_module(path): path for path in _sources()}
    unfinished: list[str] = []
    finished: set[str] = set()

    def visit(module: str) -> None:
        assert module not in unfinished, f"circle: {' → '.join([*unfinished[unfinished.index(module) :], module])}"
        if module in finished:
            return
        unfinished.append(module)
        for target in sorted(_targets(modules, module)):
            visit(target)
        finished.add(unfinished.pop())

    for module in modules:
        visit(module)


def _module(path: Path) -> str:
    parts = ("spikebridge", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(modules: dict[str, Path], module: str) -> set[str]:
    """Modules of the program that ``module`` imports; ``from package import module`` means the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(modules[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & modules.keys() or {node.module}
    return (found & modules.keys()) - {module}


def test_core_does_not_print() -> None:
    printing = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _sources()
        if _name(path) not in _INTERFACES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_statements_at_import_time_are_told_apart() -> None:
    tree = ast.parse("import a\ndef f():\n    import b\nclass C:\n    import c\nif True:\n    import d\n")
    eager = {name for name, node in _imports(tree) if node in list(_at_import_time(tree))}
    assert eager == {"a", "c", "d"}

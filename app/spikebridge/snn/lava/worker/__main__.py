"""Start of the worker: ``python worker DESCRIPTOR``, the number of an inherited, connected stream socket."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_NAME = "spikebridge_worker"


def _load() -> None:
    # Loaded by path under a name of its own: the folder stays off the import path, where its modules could hide others.
    spec = importlib.util.spec_from_file_location(
        _NAME, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
    )
    if spec is None:
        raise ImportError(f"expected the worker's modules in {_FOLDER}, found none")
    sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _FOLDER]


if __name__ == "__main__":
    _load()
    importlib.import_module(f"{_NAME}.guard").run(int(sys.argv[1]))

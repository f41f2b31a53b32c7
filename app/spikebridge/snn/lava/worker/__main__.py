"""Start of the worker: ``python worker DESCRIPTOR``, the number of an inherited, connected stream socket."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def _stand_in_for_parents() -> None:
    # The packages above would import the program, which this Python may lack the packages for: empty modules with
    # their paths take their places. The folder itself leaves the import path, where its modules could hide others.
    for depth, name in enumerate(("spikebridge.snn.lava", "spikebridge.snn", "spikebridge")):
        module = types.ModuleType(name)
        module.__path__ = [str(_FOLDER.parents[depth])]
        sys.modules[name] = module
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _FOLDER]


if __name__ == "__main__":
    _stand_in_for_parents()
    importlib.import_module("spikebridge.snn.lava.worker.guard").run(int(sys.argv[1]))

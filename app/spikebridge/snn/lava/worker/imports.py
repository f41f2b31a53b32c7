"""Keeps torch out of the processes that run a network."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

#: lava-dl's training and sequence parts.
_UNUSED = (
    "lava.lib.dl.slayer",
    "lava.lib.dl.slayer.neuron",
    "lava.lib.dl.slayer.neuron.rf",
    "lava.lib.dl.netx.sequential_modules",
)


def leave_out_training() -> None:
    """Before netx is imported: gives empty modules the places of those that a spiking ``.net`` file never calls.

    netx imports all of SLAYER for the parameters of resonate-and-fire neurons, which the program's files do not have.
    That costs seconds at every start, 440 MB in each of Lava's processes, and torch in the environment. Lava's search
    for process models then runs every file beside them and skips those that cannot be imported: torch is denied there.
    """
    spec = importlib.util.find_spec("lava.lib.dl.netx")
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
    for name in _UNUSED:
        module = types.ModuleType(name)
        module.__path__ = []
        module.__file__ = str(folder / f"{name.rpartition('.')[2]}.py")
        module.neuron_params = _refuse  # type: ignore[attr-defined]
        sys.modules.setdefault(name, module)
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]


def _refuse(*_: object) -> None:
    raise NotImplementedError("expected CUBA neurons, found resonate-and-fire neurons")

"""Runs networks on Lava and stores what it computes; for Lava's own Python 3.10, without spikebridge.

    python lava_reference.py FOLDER

For each FOLDER/<case>.npz (counts : (T, C, H, W) uint8, graded : bool) with FOLDER/<case>.net, writes
FOLDER/<case>.out.npz: spikes (T, C', H', W') uint8 as a receiver behind the network sees them, and for each layer k
``u<k>`` and ``v<k>`` (T, C, H, W) int32 after each step. Prints ``done <case>`` or ``failed <case> <why>`` for each.
"""

import mmap
import runpy
import sys
from pathlib import Path

import numpy as np

IMPORTS = Path(__file__).resolve().parents[2] / "app/spikebridge/snn/lava/worker/imports.py"
runpy.run_path(str(IMPORTS))["leave_out_training"]()  # the environment may be the light one, without torch

from lava.lib.dl.netx import hdf5  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.models import PyLifModelBitAcc  # noqa: E402
from reference_cases import run_all  # noqa: E402

#: Where a neuron's model finds the memory for its states, (2, T, ...) int32, in the parameters of its process.
STATES = "states"


def run(case):
    stored = np.load(case.with_suffix(".npz"))
    counts, graded = stored["counts"], bool(stored["graded"])
    steps, shape = len(counts), counts.shape[1:]
    network = hdf5.Network(
        net_config=str(case.with_suffix(".net")), input_message_bits=8 if graded else 0, input_shape=shape[::-1]
    )
    flat = len(network.inp.shape) == 1
    data = counts.reshape(steps, -1).T if flat else counts.transpose(3, 2, 1, 0)
    source = Source(data=data.astype(np.int32))
    sink = Sink(shape=network.out.shape, buffer=steps)
    source.s_out.connect(network.inp)
    network.out.connect(sink.a_in)
    for layer in network.layers:
        layer.neuron.proc_params[STATES] = _shared((2, steps, *layer.neuron.s_out.shape))
    try:
        network.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        spikes = np.moveaxis(sink.data.get(), -1, 0)
    finally:
        network.stop()
    arrays = {"spikes": _outside(spikes).astype(np.uint8)}
    for k, layer in enumerate(network.layers):
        arrays |= {
            f"{name}{k}": _outside(states) for name, states in zip("uv", layer.neuron.proc_params[STATES], strict=True)
        }
    partial = case.with_suffix(".part.npz")  # a killed worker leaves no half output
    np.savez(partial, **arrays)
    partial.rename(case.with_suffix(".out.npz"))


def _shared(shape):
    """Memory that the processes see that Lava forks from this one."""
    return np.frombuffer(mmap.mmap(-1, 4 * int(np.prod(shape))), np.int32).reshape(shape)


def show_states():
    """Lets Lava's neurons leave currents and voltages after each step of theirs, which is Lava's, untouched.

    Lava's own way to read them sends them one by one: seconds for a step of a layer."""
    step = PyLifModelBitAcc.run_spk

    def run_spk(self):
        step(self)
        states = self.proc_params[STATES]
        states[:, self.time_step - 1] = self.u, self.v

    PyLifModelBitAcc.run_spk = run_spk


def _outside(values):
    """(T, C, H, W) from Lava's (T, W, H, C), or (T, N, 1, 1) from (T, N)."""
    return values[..., None, None] if values.ndim == 2 else values.transpose(0, 3, 2, 1)


def main(folder):
    show_states()
    run_all(folder, ".out.npz", run)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

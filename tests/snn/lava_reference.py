"""Runs networks on Lava and stores what it computes; for Lava's own Python 3.10, without spikebridge.

    python lava_reference.py FOLDER

For each FOLDER/<case>.npz (counts : (T, C, H, W) uint8, graded : bool) with FOLDER/<case>.net, writes
FOLDER/<case>.out.npz: spikes (T, C', H', W') uint8 as a receiver behind the network sees them, and for each layer k
``u<k>`` and ``v<k>`` (T, C, H, W) int32 after each step. Prints ``done <case>`` or ``failed <case> <why>`` for each.
"""

import sys
from pathlib import Path

import numpy as np
from lava.lib.dl.netx import hdf5
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source


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
    states = {}
    try:
        for _ in range(steps):
            network.run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
            for k, layer in enumerate(network.layers):
                for name in "uv":
                    value = np.asarray(getattr(layer.neuron, name).get())
                    states.setdefault(f"{name}{k}", []).append(_outside(value))
        spikes = np.stack([_outside(sink.data.get()[..., t]) for t in range(steps)])
    finally:
        network.stop()
    arrays = {name: np.stack(values).astype(np.int32) for name, values in states.items()}
    np.savez_compressed(case.with_suffix(".out.npz"), spikes=spikes.astype(np.uint8), **arrays)


def _outside(value):
    """(C, H, W) from Lava's (W, H, C), or (N, 1, 1) from (N,)."""
    return value.reshape(-1, 1, 1).copy() if value.ndim == 1 else value.transpose(2, 1, 0).copy()


def main(folder):
    for path in sorted(folder.glob("*.net")):
        case = path.with_suffix("")
        if case.with_suffix(".out.npz").exists():
            continue
        try:
            run(case)
        except Exception as error:  # noqa: BLE001 - the caller decides, and wants the other cases
            print("failed", case.name, type(error).__name__, str(error).replace("\n", " "), flush=True)
        else:
            print("done", case.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

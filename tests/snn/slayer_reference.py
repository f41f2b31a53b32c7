"""Runs networks as SLAYER's quantised blocks; for Lava's own Python 3.10 with all of lava-dl, without spikebridge.

    python slayer_reference.py FOLDER
    python slayer_reference.py FOLDER --draw N

The first form reads each FOLDER/<case>.net, builds SLAYER's blocks with its parameters, runs FOLDER/<case>.npz
(counts : (T, C, H, W) uint8, graded : bool) and writes FOLDER/<case>.slayer.npz: spikes, ``u<k>`` and ``v<k>`` as
``lava_reference.py`` does, of the steps before the first state that 24 bits do not hold, which SLAYER does not model.
The second form first draws N networks of SLAYER's own and exports them to FOLDER/s<n>.net, with input.
Prints ``done <case>`` or ``failed <case> <why>`` for each.
"""

import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from lava.lib.dl import slayer
from lava.lib.dl.slayer.axon.delay import delay
from reference_cases import run_all

LIMIT = 2**23
WEIGHT_SCALE, STATE_SCALE = 64, 4096
STEPS = 24


def blocks_of(path):
    """The file's layers as SLAYER's blocks, None for flatten."""
    with h5py.File(path, "r") as file:
        groups = [file["layer"][str(n)] for n in range(len(file["layer"]))]
        return [block_of(group) for group in groups if kind(group) != "input"]


def kind(group):
    return group["type"][0].decode()


def block_of(group):
    if kind(group) == "flatten":
        return None
    weight = torch.from_numpy(group["weight"][()].astype(np.float64))
    bias = group["bias"][()].reshape(-1).astype(np.float64) if "bias" in group else None
    neuron = {
        "threshold": int(group["neuron/vThMant"][()]) / WEIGHT_SCALE,
        "current_decay": int(group["neuron/iDecay"][()]) / STATE_SCALE,
        "voltage_decay": int(group["neuron/vDecay"][()]) / STATE_SCALE,
    }
    if bias is not None:
        neuron["norm"] = slayer.neuron.norm.MeanOnlyBatchNorm
    if kind(group) == "dense":
        block = slayer.block.cuba.Dense(neuron, weight.shape[1], weight.shape[0])
    else:
        pairs = {name: pair(group, name, default) for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))}
        groups = int(group["groups"][()]) if "groups" in group else 1
        outputs, inputs = weight.shape[0], weight.shape[1] * groups
        block = slayer.block.cuba.Conv(neuron, inputs, outputs, tuple(weight.shape[2:4]), groups=groups, **pairs)
    block.synapse.weight.data = (weight / WEIGHT_SCALE).reshape(block.synapse.weight.shape)
    if (block.synapse.pre_hook_fx(block.synapse.weight) != block.synapse.weight).any():
        # Odd weights of one sign: the chip holds them, SLAYER's quantiser would round them to even ones.
        block.synapse.pre_hook_fx = lambda value, descale=False: value * WEIGHT_SCALE if descale else value
    if bias is not None:
        # SLAYER's bias is a mean that its norm subtracts; unquantised, for the same reason.
        block.neuron.norm.pre_hook_fx = lambda value, descale=False: value * WEIGHT_SCALE if descale else value
        block.neuron.norm.running_mean = -torch.from_numpy(bias) / WEIGHT_SCALE
    found = block.neuron.device_params
    for field in ("iDecay", "vDecay", "vThMant"):
        assert int(found[field]) == int(group[f"neuron/{field}"][()]), (field, found[field])
    return block.eval()


def pair(group, name, default):
    value = np.atleast_1d(group[name][()]) if name in group else np.array([default])
    return int(value[0]), int(value[-1])


def run(case):
    with np.load(case.with_suffix(".npz")) as stored:
        counts = stored["counts"] if stored["graded"] else (stored["counts"] > 0)
    # Lava's first layer, too, receives in the step after it was sent to.
    signal = delay(torch.tensor(counts, dtype=torch.float64).permute(1, 2, 3, 0)[None], 1)
    arrays, steps, n = {}, len(counts), 0
    with torch.no_grad():
        for block in blocks_of(case.with_suffix(".net")):
            if block is None or (isinstance(block, slayer.block.cuba.Dense) and signal.ndim == 5):
                signal = signal.flatten(1, 3)
            if block is None:
                continue
            current, voltage = block.neuron.dynamics(block.synapse(signal))
            spikes = block.neuron.spike(voltage)
            if block.neuron.norm is not None:
                mean = block.neuron.norm.running_mean
                current = current + mean.reshape(1, -1, *[1] * (current.ndim - 2))
            steps = min(steps, *(first_above(STATE_SCALE * state) for state in (current, voltage)))
            arrays[f"u{n}"] = outside(STATE_SCALE * current)
            arrays[f"v{n}"] = outside(STATE_SCALE * voltage * (spikes == 0))  # SLAYER shows it before the reset
            arrays["spikes"] = outside(spikes)
            signal = delay(spikes, 1)
            n += 1
    partial = case.with_suffix(".part.npz")
    np.savez(partial, **{name: value[:steps] for name, value in arrays.items()})
    partial.rename(case.with_suffix(".slayer.npz"))


def first_above(states):
    """The first step with a state that 24 bits do not hold, or the number of steps."""
    above = (states.abs() >= LIMIT).flatten(0, -2).any(0)
    return int(above.nonzero()[0]) if above.any() else len(above)


def outside(signal):
    """(T, C, H, W) int32 from SLAYER's (1, C, H, W, T), or (T, N, 1, 1) from (1, N, T)."""
    signal = signal[0].movedim(-1, 0)
    whole = signal.round()
    assert torch.equal(whole, signal), "SLAYER's states are not whole numbers in the chip's units"
    return whole.reshape(*signal.shape, *[1] * (4 - signal.ndim)).numpy().astype(np.int32)


def draw(case, seed):
    """A network as SLAYER draws and exports it, and input: large enough weights to fire, too small to overflow."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    blocks, shape = network(rng)
    counts = (rng.random((STEPS, *shape)) < 0.3).astype(np.uint8)
    signal = torch.tensor(counts, dtype=torch.float64).permute(1, 2, 3, 0)[None]
    with torch.no_grad():
        for block in blocks:  # an export needs the shapes of a first run
            signal = block(signal)
    with h5py.File(case.with_suffix(".net"), "w") as file:
        group = file.create_group("layer/0")
        group.create_dataset("type", (1,), "S10", [b"input"])
        group.create_dataset("shape", data=np.array(shape))
        for n, block in enumerate(blocks):
            block.export_hdf5(file.create_group(f"layer/{n + 1}"))
    np.savez(case.with_suffix(".npz"), counts=counts, graded=False)


def network(rng):
    """Blocks and input shape (C, H, W)."""
    shape = (int(rng.integers(1, 4)), int(rng.integers(6, 12)), int(rng.integers(6, 12)))
    blocks, channels, size = [], shape[0], list(shape[1:])
    for _ in range(int(rng.integers(1, 5))):
        neuron = {
            "threshold": float(rng.choice([0.5, 1.0, 1.25])),
            "current_decay": float(rng.choice([0.3, rng.uniform(0.05, 1)])),
            "voltage_decay": float(rng.choice([0.25, rng.uniform(0.01, 0.9)])),
        }
        kernel, stride, padding = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(0, 2))
        after = [(n + 2 * padding - kernel) // stride + 1 for n in size]
        if min(after) < 1:
            break
        outputs = int(rng.choice([1, 3, 4, 8]))
        blocks.append(
            slayer.block.cuba.Conv(neuron, channels, outputs, kernel, stride=stride, padding=padding, weight_scale=2)
        )
        channels, size = outputs, after
    if rng.random() < 0.4:
        blocks.append(slayer.block.cuba.Flatten())
        blocks.append(slayer.block.cuba.Dense(neuron, channels * size[0] * size[1], 7, weight_scale=2))
    return blocks, shape


def main(folder, drawn):
    # In double precision every sum and the margin above the threshold are exact, whatever the weights.
    torch.set_default_dtype(torch.float64)
    for seed in range(drawn):
        draw(folder / f"s{seed:03}", seed)
    run_all(folder, ".slayer.npz", run)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[3]) if sys.argv[2:3] == ["--draw"] else 0)

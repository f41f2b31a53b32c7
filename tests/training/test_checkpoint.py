"""Checkpoints come back as they were, older ones too, and damaged ones are named."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.errors import InputError  # noqa: E402
from spikebridge.training.checkpoint import (  # noqa: E402
    Counters,
    TrainingRecord,
    TrainingState,
    load_checkpoint,
    load_state,
    save_checkpoint,
)
from spikebridge.training.curves import Progress  # noqa: E402
from spikebridge.training.loop import parameter_groups  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402
from standin_clips import random_batch  # noqa: E402

SPEC = NetworkSpec(2, window_steps=4, interval_steps=2, hidden=8)
PROGRESS = Progress(4, 64, 2.5, 0.25, 0.5, 0.75, 1234.5, 200.0, 9.5)
RECORD = TrainingRecord(TrainingPlan(windows=64, seed=3, spiking_from="s2a4"), PROGRESS, 16, 200, "simulated camera", 2)


def same(one: HybridNetwork, other: HybridNetwork) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def trained(network: HybridNetwork) -> torch.optim.Optimizer:
    """An optimiser with moments, after one update."""
    optimiser = torch.optim.AdamW(parameter_groups(network, RECORD.plan))
    logits, _ = network.train()(random_batch(2, 4, 200))
    logits.sum().backward()
    optimiser.step()
    return optimiser


def test_a_network_and_its_record_come_back(tmp_path):
    network = HybridNetwork(SPEC, seed=1)
    save_checkpoint(tmp_path / "deep/best.npz", network, RECORD)
    found, record = load_checkpoint(tmp_path / "deep/best.npz")
    assert record == RECORD
    assert found.spec == SPEC
    assert same(found, network)


def test_a_training_goes_on_with_what_it_had(tmp_path):
    network, average = HybridNetwork(SPEC, seed=1), HybridNetwork(SPEC, seed=2)
    optimiser = trained(network)
    counters = Counters(4, 1, 0.5, 9.5)
    save_checkpoint(tmp_path / "last.npz", network, RECORD, TrainingState(counters, optimiser, average))
    again, mean = HybridNetwork(SPEC, seed=3), HybridNetwork(SPEC, seed=4)
    empty = torch.optim.AdamW(parameter_groups(again, RECORD.plan))
    assert load_state(tmp_path / "last.npz", empty, mean) == counters
    assert same(mean, average)
    before, after = optimiser.state_dict()["state"], empty.state_dict()["state"]
    assert before.keys() == after.keys()
    assert all(torch.equal(before[0][name], after[0][name]) for name in ("step", "exp_avg", "exp_avg_sq"))


def old_record(**more) -> dict:
    """What a checkpoint said of itself before data, processes and the start were told."""
    plan = {"windows": 128, "batch": 64, "report_every": 40, "patience": 12, "rate": 0.003, "held_out": 8, "seed": 5}
    plan["ranges"] = {"shift_px": 6.0, "haze_px": [5.0, 30.0], "mirror": 0.5}
    spec = {"spiking": 2, "window_steps": 4, "interval_steps": 2, "step_us": 10000, "hidden": 8, "dropout": 0.25}
    spec["neuron"] = {"threshold": 1.0, "current_decay": 0.3, "voltage_decay": 0.25, "tau_grad": 0.01, "scale_grad": 10}
    progress = {"update": 2, "windows": 128, "loss": math.nan, "accuracy_window": 0.5, "accuracy_streaming": 0.5}
    progress |= {"accuracy_clip": 0.5, "spikes": 10.0, "windows_per_s": 300.0, "elapsed_s": 1.5}
    return {"spec": spec, "plan": plan, "progress": progress, "persons": 9, "clips": 99, **more}


def test_checkpoints_of_older_programs_are_read(tmp_path):
    network = HybridNetwork(SPEC, seed=1)
    arrays = {f"network/{key}": value.numpy() for key, value in network.state_dict().items()}
    arrays |= {f"average/{key}": value.numpy() for key, value in network.state_dict().items()}
    about = old_record(update=2, stale=1, best=0.5, elapsed_s=1.5)
    np.savez(tmp_path / "last.npz", about=np.array(json.dumps(about)), **arrays)
    found, record = load_checkpoint(tmp_path / "last.npz")
    assert same(found, network)
    assert (found.spec.width, found.spec.control) == (1, "none")
    assert (record.plan.windows, record.plan.seed, record.plan.initial) == (128, 5, "")
    assert record.plan.ranges.haze_px == (5.0, 30.0)
    assert (record.persons, record.clips, record.data, record.processes) == (9, 99, "clips", 1)
    assert load_state(tmp_path / "last.npz", trained(HybridNetwork(SPEC)), found) == Counters(2, 1, 0.5, 1.5)


@pytest.mark.parametrize("damage", ["nothing", "text", "cut", "other keys", "another network"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    path = tmp_path / "best.npz"
    save_checkpoint(path, HybridNetwork(SPEC), RECORD)
    if damage == "nothing":
        path.unlink()
    elif damage == "text":
        path.write_bytes(b"no archive")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "other keys":
        np.savez(path, about=np.array(json.dumps({"spec": {}})))
    else:
        arrays = {f"network/{key}": value.numpy() for key, value in HybridNetwork(NetworkSpec(1)).state_dict().items()}
        np.savez(path, about=np.array(json.dumps(old_record())), **arrays)
    with pytest.raises(InputError, match=r"expected a checkpoint at .*best\.npz"):
        load_checkpoint(path)

"""Several processes train what one would, and the device is a choice."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.datasets.clips import ClipSet  # noqa: E402
from spikebridge.errors import MissingError, UsageError  # noqa: E402
from spikebridge.training.checkpoint import load_checkpoint  # noqa: E402
from spikebridge.training.curves import read_curves  # noqa: E402
from spikebridge.training.loop import train  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec  # noqa: E402
from spikebridge.training.parallel import Group, choose_device, join_group, leave_group  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402
from standin_clips import random_batch, write_set  # noqa: E402

SPEC = NetworkSpec(1, window_steps=8, interval_steps=4, hidden=16, dropout=0.0)
PLAN = TrainingPlan(windows=16 * 3, batch=16, report_every=3, held_out=2, validation_clips=11)
ROOT = Path(__file__).resolve().parents[2]


def state(folder: Path) -> dict[str, np.ndarray]:
    network, _ = load_checkpoint(folder / "last.npz")
    return {key: value.numpy() for key, value in network.state_dict().items()}


@pytest.mark.timeout(300)
def test_two_processes_train_what_one_does(tmp_path):
    torch.set_num_threads(1)
    train(SPEC, PLAN, write_set(tmp_path / "clips", persons=2), tmp_path / "one")
    result = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, tmp_path],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'app'}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["best.npz", "curves.csv", "last.npz"]
    assert [row["update"] for row in read_curves(tmp_path / "two/curves.csv")] == [3]
    one, two = state(tmp_path / "one"), state(tmp_path / "two")
    for key, value in one.items():
        # Adam's steps have one size, so where a gradient is but rounding error they may differ; hence the median.
        assert np.median(np.abs(value - two[key])) < 1e-5, key
    first, second = (np.load(tmp_path / f"gradient-{name}.npy") for name in ("one", "two"))
    assert np.abs(first).max() > 0.01
    # Sums over the same events in another order; a lost or doubled part would be off by as much as there is.
    np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-4 * np.abs(first).max())


def gradient(clips: ClipSet, folder: Path, group: Group) -> np.ndarray:
    """Of all weights in the first update."""
    kept: list[torch.Tensor] = []
    clip = torch.nn.utils.clip_grad_norm_

    def keep(parameters, most):
        parameters = list(parameters)
        kept.append(torch.cat([parameter.grad.flatten() for parameter in parameters]).clone())
        return clip(parameters, most)

    torch.nn.utils.clip_grad_norm_ = keep
    try:
        train(SPEC, dataclasses.replace(PLAN, windows=16), clips, folder, group=group)
    finally:
        torch.nn.utils.clip_grad_norm_ = clip
    return kept[0].numpy()


def test_a_batch_is_shared_without_rest():
    assert [list(Group(rank, 2).part(4)) for rank in (0, 1)] == [[0, 1], [2, 3]]
    with pytest.raises(UsageError, match="3 processes"):
        Group(0, 3).part(64)
    assert Group().from_leader([1.5]) == [1.5]


def test_the_device_is_a_choice(monkeypatch):
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(MissingError, match="cuda:1, found 0 GPUs"):
        choose_device("cuda:1")
    with pytest.raises(UsageError, match="found 'gpu'"):
        choose_device("gpu")


def test_each_process_takes_its_own_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda index: None)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda:1")
    assert choose_device("cuda:0") == torch.device("cuda:0")


def test_the_ordinary_part_may_lie_elsewhere():
    """Torch's device without memory stands for a GPU: everything but the values is the same."""
    network = HybridNetwork(SPEC).eval()
    network.ordinary.to("meta")
    seen: list[torch.device] = []
    network.ordinary.register_forward_hook(lambda module, inputs, output: seen.append(output.device))
    features, spikes = network.features(random_batch(2, 8, 200))
    assert features.device == spikes.device == torch.device("cpu")
    with pytest.raises(NotImplementedError, match="meta"):  # on the way back, as there is nothing to bring
        network(random_batch(2, 8, 200))
    assert seen == [torch.device("meta")]


if __name__ == "__main__":
    torch.set_num_threads(1)
    here = Path(sys.argv[1])
    joined = join_group(choose_device("cpu"))
    train(SPEC, PLAN, ClipSet(here / "clips"), here / "two", group=joined)
    found = gradient(ClipSet(here / "clips"), here / "gradient", joined)
    if joined.leads:
        np.save(here / "gradient-two.npy", found)
        np.save(here / "gradient-one.npy", gradient(ClipSet(here / "clips"), here / "alone", Group()))
    joined.wait()
    leave_group(joined)

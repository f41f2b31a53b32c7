"""A training as the command runs it: its plan, its clips, its result."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.errors import UsageError  # noqa: E402
from spikebridge.training.checkpoint import load_checkpoint  # noqa: E402
from spikebridge.training.training_run import TrainingSettings, run_training  # noqa: E402
from standin_clips import write_set  # noqa: E402


@pytest.fixture
def run(tmp_path):
    """Runs a training; returns what was said, and the length and the last place of the bar."""
    write_set(tmp_path / "clips", persons=9)

    def start(network="ann", **options):
        said, bars = [], []

        @contextmanager
        def bar(length, label):
            yield lambda done: bars.append((length, label, done))

        settings = TrainingSettings(network, str(tmp_path / "clips"), tmp_path / "run", device="cpu", **options)
        run_training(settings, said.append, bar)
        return said, bars[-1]

    return start


def test_options_become_the_plan_and_the_network(run, tmp_path):
    said, bar = run("s1a5", windows=128, steps=8, interval=2, seed=4, spike_cost=0.1, patience=3)
    assert bar == (2, "training s1a5", 2)
    assert said[-1].startswith("128 windows: loss ")
    network, record = load_checkpoint(tmp_path / "run/best.npz")
    assert (network.spec.window_steps, network.spec.interval_steps) == (8, 2)
    plan = record.plan
    assert (plan.windows, plan.seed, plan.spike_cost, plan.patience, plan.rate) == (128, 4, 0.1, 3, 3e-3)
    assert (record.persons, record.clips, record.data) == (9, 99, "clips")


def test_fine_tuning_has_rates_of_its_own(run, tmp_path):
    run("s1a5", windows=64, steps=8)
    (tmp_path / "run").rename(tmp_path / "first")
    run(None, fine_tune=str(tmp_path / "first"), windows=64, freeze_spiking=True)
    _, record = load_checkpoint(tmp_path / "run/best.npz")
    assert (record.plan.rate, record.plan.spiking_rate, record.plan.initial) == (1e-3, 0.0, "first")
    assert record.plan.report_every == 40


def test_what_does_not_fit_is_named(run, tmp_path):
    run(windows=64, steps=8)
    with pytest.raises(UsageError, match="without a training at"):
        run(windows=64, steps=8)
    with pytest.raises(UsageError, match="found 's9a9'"):
        run("s9a9", resume=True)
    with pytest.raises(UsageError, match="window_steps to stay 8 in fine-tuning, found 16"):
        run(None, fine_tune=str(tmp_path / "run"), steps=16, resume=True)
    with pytest.raises(UsageError, match="all gestures are trained"):
        run_training(TrainingSettings("ann", "sim:arm_roll", tmp_path / "x", device="cpu"), print, lambda *_: None)

"""The contract of a bundle, and the command in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from standin_figures import FIGURES, RECORD  # noqa: E402

from spikebridge.bundle import tomllib  # noqa: E402
from spikebridge.training.contract import BundleText, train_command, validated_on, write_contract  # noqa: E402
from spikebridge.training.network import NetworkSpec, parse_name  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402


def test_the_contract_says_what_was_trained_and_measured(tmp_path):
    path = tmp_path / "model.toml"
    text = BundleText("Title", notes=('A "note".',))
    files = {"snn.net": "a" * 64, "ann.onnx": "b" * 64}
    write_contract(path, NetworkSpec(2), files, FIGURES, RECORD, text, 20_000)
    found = tomllib.loads(path.read_text())
    assert found["snn"] == {
        "file": "snn.net",
        "sha256": "a" * 64,
        "layers": 2,
        "delay_steps": 2,
        "output_shape": [8, 32, 32],
    }
    assert found["ann"]["input_shape"] == [32, 32, 32]
    assert (found["decision"]["threshold"], found["decision"]["temperature"]) == (0.55, 1.25)
    assert found["training"]["notes"] == ['A "note".']
    assert "started_from" not in found["training"]
    assert found["accuracy"]["measured_on"] == "2 simulated persons that were validated on, none trained on, 24 clips"
    assert (found["accuracy"]["window"], found["accuracy"]["window_streaming"]) == (0.9, 0.85)
    write_contract(path, parse_name("ann"), {"ann.onnx": "b" * 64}, FIGURES, RECORD, text, 0)
    assert "snn" not in tomllib.loads(path.read_text())


def test_the_command_trains_the_same_again():
    plan = TrainingPlan(windows=640, seed=3)
    tail = "--windows 640 --seed 3 --spike-cost 0.5"
    assert train_command(NetworkSpec(2, width=2), plan) == (
        f"spikebridge train s2a4 DATA OUT --interval 4 --steps 16 --step-us 10000 --width 2 {tail}"
    )
    begun = replace(plan, spiking_from="front", spiking_rate=0.0)
    assert train_command(NetworkSpec(2), begun).endswith(f"--spiking-from front --freeze-spiking {tail}")
    tuned = replace(plan, initial="s2a4-stream", spiking_rate=0.0)
    assert train_command(NetworkSpec(2), tuned) == (
        f"spikebridge train --fine-tune s2a4-stream DATA OUT --freeze-spiking {tail}"
    )
    # There is nothing to freeze in an ordinary network.
    assert "freeze" not in train_command(NetworkSpec(0), replace(plan, spiking_rate=0.0))


def test_one_person_is_said_to_be_one():
    alone = replace(RECORD, persons=1, data="own recordings")
    assert validated_on(FIGURES, alone) == "other clips of the one person trained on (own recordings)"
    assert validated_on(FIGURES, replace(RECORD, data="DVS128 Gesture")).startswith("2 persons of DVS128 Gesture")

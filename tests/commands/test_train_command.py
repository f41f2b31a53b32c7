"""``train`` as a user calls it, and what becomes of the network."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from calling import call
from spikebridge.bundle import load_model
from spikebridge.commands.export import export
from spikebridge.commands.train import train
from spikebridge.contracts import LABELS
from spikebridge.datasets.simulated_takes import SimulationPlan
from spikebridge.errors import MissingError, UsageError
from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels
from standin_clips import blob_clip, write_aedat3, write_set


@pytest.mark.timeout(300)
def test_train_then_export(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    write_set(tmp_path / "clips", persons=9)
    run = tmp_path / "run"
    trained = call(train, "s1a5", tmp_path / "clips", run, "--windows", 64, "--steps", 8)
    assert "validation windows" in trained.stderr
    assert trained.stdout == ""
    call(export, run / "best.npz", tmp_path / "clips", tmp_path / "bundle", "--title", "Test")
    assert "--interval 4 --steps 8 --step-us 10000 --windows 64" in (tmp_path / "bundle/model.toml").read_text()


def test_a_training_begins_with_the_spiking_layers_of_another(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    from spikebridge.training.fine_tuning import open_network

    write_set(tmp_path / "clips", persons=9)
    brief = ("--windows", 64, "--steps", 8, "--device", "cpu")
    call(train, "s1a5", tmp_path / "clips", tmp_path / "front", *brief)
    begun = ("--spiking-from", tmp_path / "front", "--freeze-spiking", "--width", 2)
    call(train, "s1a5", tmp_path / "clips", tmp_path / "run", *brief, *begun)
    front, network = (open_network(tmp_path / name) for name in ("front", "run"))
    assert network.spec.width == 2
    assert network.spiking.weights[0].equal(front.spiking.weights[0])
    call(export, tmp_path / "run/best.npz", tmp_path / "clips", tmp_path / "bundle", "--title", "Test")
    assert "--width 2 --spiking-from front --freeze-spiking" in (tmp_path / "bundle/model.toml").read_text()


@pytest.fixture
def recordings(tmp_path):
    """One person, four short parts of each gesture."""
    for index, label in enumerate(LABELS):
        path = tmp_path / "mine" / f"{label}.aedat4"
        with Aedat4Writer(path, Sensor(128, 128)) as writer:
            writer.write(blob_clip(index, 0, duration_us=480_000).events)
        write_labels(labels_path(path), [Span(index, t, t + 120_000) for t in range(0, 480_000, 120_000)])
    return tmp_path / "mine"


def test_fine_tuning_on_own_recordings(tmp_path, recordings):
    """From simulated clips to a bundle, from the bundle and recordings to another one."""
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    from spikebridge.snn import load_network

    write_set(tmp_path / "clips", persons=9)
    call(train, "s1a5", tmp_path / "clips", tmp_path / "first", "--windows", 64, "--steps", 8)
    call(export, tmp_path / "first/best.npz", tmp_path / "clips", tmp_path / "bundle", "--title", "Test")
    call(
        *(train, "--fine-tune", tmp_path / "bundle", recordings, tmp_path / "mine-run"),
        *("--freeze-spiking", "--windows", 64, "--device", "cpu"),
    )
    call(export, tmp_path / "mine-run/best.npz", recordings, tmp_path / "tuned", "--title", "Tuned")
    before, after = (load_model(tmp_path / name) for name in ("bundle", "tuned"))
    assert load_network(before.snn.path) == load_network(after.snn.path)
    assert before.ann.path.read_bytes() != after.ann.path.read_bytes()
    contract = (tmp_path / "tuned/model.toml").read_text()
    assert 'data = "own recordings"' in contract
    assert "spikebridge train --fine-tune bundle DATA OUT --freeze-spiking" in contract
    assert str(tmp_path) not in contract
    assert "no real recording" not in (tmp_path / "tuned/README.md").read_text()


def test_from_the_folder_of_dvs128_gesture_to_an_evaluated_bundle(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    for user in (1, 8, 24):
        clips = [blob_clip(label, user, 160_000, 5_000).events for label in range(len(LABELS))]
        for label, events in enumerate(clips):
            events["t"] += 200_000 * label
        events = np.concatenate(clips)
        write_aedat3(tmp_path / f"data/user{user:02d}_led.aedat", *(events[c] for c in ("t", "x", "y", "polarity")))
        rows = [f"{label + 1},{200_000 * label},{200_000 * label + 160_000}" for label in range(len(LABELS))]
        table = "\n".join(["class,startTime_usec,endTime_usec", *rows])
        (tmp_path / f"data/user{user:02d}_led_labels.csv").write_text(table)
    (tmp_path / "data/trials_to_train.txt").write_text("user01_led.aedat\nuser08_led.aedat\n")
    (tmp_path / "data/trials_to_test.txt").write_text("user24_led.aedat\n")
    options = ("--windows", 64, "--steps", 8, "--device", "cpu", "--bundle", tmp_path / "bundle")
    result = call(train, "ann", tmp_path / "data", tmp_path / "run", *options)
    assert "test subjects of DVS128 Gesture: windows" in result.stderr
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["cases"] == len(LABELS)
    assert "1 persons of DVS128 Gesture that were validated on" in (tmp_path / "bundle/model.toml").read_text()


def test_a_training_is_not_overwritten_but_resumed(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    write_set(tmp_path / "clips", persons=9)
    once = ("ann", tmp_path / "clips", tmp_path / "run", "--windows", 64, "--steps", 8, "--device", "cpu")
    call(train, *once)
    call(train, *once, fails=UsageError)
    call(train, *once, "--resume")
    tuned = ("--fine-tune", tmp_path / "run", tmp_path / "clips", tmp_path / "tuned")
    refused = call(train, *tuned, "--steps", 16, fails=UsageError)
    assert "window_steps to stay 8" in str(refused.exception)


def test_training_while_simulating(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    from spikebridge.training import training_run

    plan = SimulationPlan(seed=0, clips=12, duration_us=800_000)
    monkeypatch.setattr(training_run, "SimulationPlan", lambda seed: plan)
    monkeypatch.setattr(training_run, "_FIRST_PERSONS", 2)
    call(train, "ann", "sim:", tmp_path / "run", "--windows", 64, "--steps", 8, "--device", "cpu")
    assert (tmp_path / "run/best.npz").is_file()
    assert len(list((tmp_path / "run/clips").glob("*.json"))) > 2
    assert not list((tmp_path / "run/clips").glob(".*"))
    call(train, "ann", "sim:arm_roll", tmp_path / "other", fails=UsageError)


def test_wrong_arguments_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    missing = call(train, "s2a4", tmp_path, tmp_path / "run", fails=MissingError)
    assert "spikebridge[train]" in str(missing.exception)
    few = call(train, "--fine-tune", "s2a4-stream", "s2a4", tmp_path, tmp_path / "run", fails=UsageError)
    assert "expected DATA and OUT behind --fine-tune" in str(few.exception)
    call(train, tmp_path, tmp_path / "run", fails=UsageError)
    both = ("--fine-tune", "s2a4-stream", "--spiking-from", "s2a4-stream")
    assert "found both" in str(call(train, *both, tmp_path, tmp_path / "run", fails=UsageError).exception)


def test_an_unknown_network_is_named(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    write_set(tmp_path / "clips", persons=1)
    call(train, "s9a9", tmp_path / "clips", tmp_path / "run", fails=UsageError)

"""Bundles: what is exported runs as it was trained, loads, and is refused when it differs."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")
pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")

from spikebridge.bundle import load_model  # noqa: E402
from spikebridge.errors import BundleError  # noqa: E402
from spikebridge.evaluation.cases import read_cases  # noqa: E402
from spikebridge.evaluation.costs import costs_of  # noqa: E402
from spikebridge.evaluation.evaluator import Evaluator  # noqa: E402
from spikebridge.evaluation.summary import summarise  # noqa: E402
from spikebridge.settings import LaneSettings  # noqa: E402
from spikebridge.snn import load_network  # noqa: E402
from spikebridge.training import export  # noqa: E402
from spikebridge.training.checkpoint import load_checkpoint  # noqa: E402
from spikebridge.training.contract import BundleText  # noqa: E402
from spikebridge.training.export import emulate, export_bundle, to_loihi  # noqa: E402
from spikebridge.training.loop import train  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402
from spikebridge.training.validation import validate  # noqa: E402
from standin_clips import random_batch, write_set  # noqa: E402

SPECS = {
    "s2a4": NetworkSpec(2, window_steps=8, interval_steps=4),
    "s6a0": NetworkSpec(6, window_steps=8, interval_steps=2),
    "snn": NetworkSpec(6, window_steps=9, interval_steps=3, step_us=5_000, spiking_head=True),
    "ann": NetworkSpec(0, window_steps=8, interval_steps=2),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    torch.set_num_threads(1)
    return write_set(tmp_path_factory.mktemp("clips"), persons=3)


@pytest.fixture(scope="module", params=SPECS)
def trained(request, clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    plan = TrainingPlan(windows=16 * 8, batch=16, report_every=8, held_out=3, average=0.5, rate=1e-2)
    train(SPECS[request.param], plan, clips, folder)
    return folder / "best.npz"


def test_a_bundle_gives_what_was_trained(trained, clips, tmp_path):
    folder = tmp_path / "bundle"
    export_bundle(trained, folder, clips, BundleText("test"))
    bundle = load_model(folder)
    network, _ = load_checkpoint(trained)
    if network.spiking is not None:
        assert load_network(bundle.snn.path) == to_loihi(network)
    with Evaluator(bundle, LaneSettings(str(folder))) as run:
        results = [run(case) for case in read_cases(clips.folder)]
        cost = costs_of(run, results)["per_window"]
    found = np.concatenate([result.windows.probabilities for result in results])
    measured = validate(network, clips, list(range(len(clips.clips))), warm=False)
    scaled = torch.softmax(torch.from_numpy(measured.logits).double() / bundle.decision.temperature, 1).numpy()
    np.testing.assert_allclose(found, scaled, atol=1e-4)
    assert summarise(results)["window_accuracy"]["value"] == pytest.approx(measured.window_accuracy, abs=0.01)
    # The chain runs on until the last step has passed through the layers, and what spikes meanwhile is paid for.
    spikes, spec = cost.get("spikes", {"total": 0.0})["total"], network.spec
    longer = 1 + 1.5 * spec.spiking_layers / spec.window_steps
    assert 0.999 * measured.spikes_per_window <= spikes <= longer * measured.spikes_per_window
    assert "Not measured yet." in (folder / "README.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_a_differing_emulator_is_refused(trained, clips, tmp_path, monkeypatch):
    network, _ = load_checkpoint(trained)
    if network.spiking is None:
        monkeypatch.setattr(export, "run_onnx", lambda _, features: np.ones((len(features), 11), np.float32))
    else:
        monkeypatch.setattr(export, "emulate", lambda *_: np.full((1, 1, 1, 1), 9, np.uint8))
    with pytest.raises(BundleError, match="not written"):
        export_bundle(trained, tmp_path / "bundle", clips, BundleText("test"))
    assert list(tmp_path.iterdir()) == []


def test_an_older_bundle_is_replaced_whole(trained, clips, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "leftover").touch()
    export_bundle(trained, folder, clips, BundleText("test"))
    assert not (folder / "leftover").exists()


@pytest.mark.parametrize("name", ["s1a5", "s2a4", "s3a3", "s4a2", "s5a1", "s6a0", "snn"])
@pytest.mark.parametrize(("steps", "interval", "step_us"), [(8, 2, 10_000), (9, 3, 5_000)])
def test_emulator_with_delays_counts_the_same(name, steps, interval, step_us):
    spec = parse_name(name, window_steps=steps, interval_steps=interval, step_us=step_us)
    network = HybridNetwork(spec, seed=1)
    with torch.no_grad():
        for weight in network.spiking.weights:
            weight *= 2
        events = random_batch(2, 14, 600)
        features, _ = network.features(events)
    assert features.sum() > 20
    assert np.array_equal(emulate(to_loihi(network), events, network.spec), features.numpy())

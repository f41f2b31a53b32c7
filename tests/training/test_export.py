"""Bundles: what is exported runs as it was trained, loads, and is refused when it differs."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")
pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")

from spikebridge.bundle import load_model  # noqa: E402
from spikebridge.errors import BundleError  # noqa: E402
from spikebridge.evaluation.cases import read_cases  # noqa: E402
from spikebridge.evaluation.evaluator import Evaluator  # noqa: E402
from spikebridge.evaluation.summary import Cost, summarise  # noqa: E402
from spikebridge.runtime import RunSettings  # noqa: E402
from spikebridge.snn import load_network  # noqa: E402
from spikebridge.training import export  # noqa: E402
from spikebridge.training.checkpoint import load_checkpoint  # noqa: E402
from spikebridge.training.export import export_bundle, to_loihi  # noqa: E402
from spikebridge.training.loop import Plan, train  # noqa: E402
from spikebridge.training.model_card import BundleText  # noqa: E402
from spikebridge.training.network import NetworkSpec  # noqa: E402
from spikebridge.training.validation import measure  # noqa: E402
from standin_clips import write_set  # noqa: E402

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
    plan = Plan(windows=16 * 8, batch=16, report_every=8, held_out=3, average=0.5, rate=1e-2)
    train(SPECS[request.param], plan, clips, folder)
    return folder / "best.npz"


def test_a_bundle_gives_what_was_trained(trained, clips, tmp_path):
    folder = tmp_path / "bundle"
    export_bundle(trained, folder, clips, BundleText("test"))
    bundle = load_model(folder)
    network, _, _ = load_checkpoint(trained)
    if network.spiking is not None:
        assert load_network(bundle.snn.path) == to_loihi(network)
    with Evaluator(bundle, RunSettings(str(folder))) as run:
        results = [run(case) for case in read_cases(clips.folder)]
        cost = Cost.of(run, results).per_window
    found = np.concatenate([result.windows for result in results])
    measured = measure(network, clips, list(range(len(clips.clips))), warm=False)
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
    network, _, _ = load_checkpoint(trained)
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

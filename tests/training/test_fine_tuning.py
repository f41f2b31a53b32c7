"""Fine-tuning starts from what runs: the network made of a bundle gives what the bundle gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")
pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")

from bundles import write_ordinary_bundle  # noqa: E402
from spikebridge.bundle import load_model  # noqa: E402
from spikebridge.errors import InputError  # noqa: E402
from spikebridge.training.contract import BundleText  # noqa: E402
from spikebridge.training.export import export_bundle, to_loihi  # noqa: E402
from spikebridge.training.fine_tuning import from_bundle, open_network, renormalise, take_over  # noqa: E402
from spikebridge.training.loop import Start, train  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402
from standin_clips import random_batch, write_set  # noqa: E402


@pytest.fixture(scope="module", params=[(2, 1), (0, 1), (2, 3)], ids=["s2a4", "ann", "wide"])
def exported(request, tmp_path_factory):
    torch.set_num_threads(1)
    spiking, width = request.param
    folder = tmp_path_factory.mktemp("exported")
    clips = write_set(folder / "clips", persons=3)
    plan = TrainingPlan(windows=16 * 8, batch=16, report_every=8, held_out=3, average=0.5, rate=1e-2)
    train(NetworkSpec(spiking, window_steps=8, width=width, hidden=40), plan, clips, folder / "run")
    export_bundle(folder / "run/best.npz", folder / "bundle", clips, BundleText("test"))
    return folder


def logits(network, seed=3):
    with torch.no_grad():
        return network.eval()(random_batch(4, 8, 400, seed))[0].numpy()


def test_a_bundle_and_its_checkpoint_give_the_same(exported):
    trained, again = open_network(exported / "run"), open_network(exported / "bundle")
    assert again.spec == trained.spec
    np.testing.assert_allclose(logits(again), logits(trained), atol=1e-4)
    if trained.spiking is not None:
        assert to_loihi(again) == to_loihi(trained)


def test_new_statistics_change_nothing_but_the_training(exported):
    network = open_network(exported / "bundle")
    before = logits(network)
    features = [network.features(random_batch(32, 8, 400, seed))[0] for seed in range(3)]
    renormalise(network, features)
    np.testing.assert_allclose(logits(network), before, atol=1e-3)
    for part in (network.ordinary.convolutions[1], network.ordinary.head[3]):
        inputs: list[torch.Tensor] = []
        hook = part.register_forward_pre_hook(lambda _, values, inputs=inputs: inputs.append(values[0]))
        with torch.no_grad():
            network.ordinary(torch.cat(features))
        hook.remove()
        axes = [axis for axis in range(inputs[0].ndim) if axis != 1]
        np.testing.assert_allclose(part.running_mean, inputs[0].mean(axes), atol=1e-3)


def test_a_bundle_of_another_family_is_named(tmp_path):
    bundle = load_model(write_ordinary_bundle(tmp_path / "bundle"))
    with pytest.raises(InputError, match="checkpoint"):
        from_bundle(bundle)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.npz"):
        open_network(tmp_path / "nowhere.npz")


def test_another_network_is_no_start(exported, tmp_path):
    network = open_network(exported / "run")
    other = dataclasses.replace(network.spec, hidden=12)
    clips, plan = write_set(tmp_path / "clips", 3), TrainingPlan(windows=16, held_out=3)
    with pytest.raises(InputError, match="other settings"):
        train(other, plan, clips, tmp_path / "run", Start(initial=network))


def test_a_network_begins_with_the_spiking_layers_of_another():
    front, pure = HybridNetwork(NetworkSpec(2), seed=1), HybridNetwork(NetworkSpec(6, spiking_head=True), seed=2)
    drawn = [weight.clone() for weight in pure.spiking.weights]
    take_over(pure, front)
    for taken, given in zip(pure.spiking.weights[:2], front.spiking.weights, strict=True):
        assert torch.equal(taken, given)
    for kept, before in zip(pure.spiking.weights[2:], drawn[2:], strict=True):
        assert torch.equal(kept, before)


@pytest.mark.parametrize("front", [NetworkSpec(0), NetworkSpec(3), NetworkSpec(2, step_us=5000)])
def test_layers_that_do_not_fit_are_refused(front):
    with pytest.raises(InputError, match="spiking layers"):
        take_over(HybridNetwork(NetworkSpec(2)), HybridNetwork(front))

"""The ordinary part as a graph gives what it gives in torch, and is read back."""

from __future__ import annotations

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")
onnx = pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")

from bundles import write_linear_onnx  # noqa: E402
from spikebridge.errors import InputError, MissingError  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name  # noqa: E402
from spikebridge.training.onnx_graph import read_onnx, run_onnx, write_onnx  # noqa: E402


def network(name: str) -> HybridNetwork:
    """With statistics of normalisation that are not those of a new one."""
    made = HybridNetwork(parse_name(name, window_steps=8, interval_steps=4), seed=1).eval()
    for module in made.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
    return made


@pytest.mark.parametrize("name", ["ann", "s3a3", "s6a0", "snn"])
def test_the_graph_gives_the_same_logits(name, tmp_path):
    made = network(name)
    write_onnx(made.ordinary, made.spec, tmp_path / "ann.onnx")
    random = np.random.default_rng(0)
    features = random.integers(0, 5, (3, *made.spec.features_shape)).astype(np.uint8)
    with torch.no_grad():
        expected = made.ordinary(torch.from_numpy(features).float()).numpy()
    np.testing.assert_allclose(run_onnx(tmp_path / "ann.onnx", features), expected, atol=1e-4)


def test_weights_are_read_back_with_the_normalisation_in_them(tmp_path):
    made = network("s3a3")
    write_onnx(made.ordinary, made.spec, tmp_path / "ann.onnx")
    layers = read_onnx(tmp_path / "ann.onnx")
    assert [weight.shape for weight, _ in layers] == [
        *((32, 32, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3)),
        *((128, 512), (11, 128)),
    ]
    last = made.ordinary.head[6]
    assert np.array_equal(layers[-1][0], last.weight.detach().numpy())
    norm, conv = made.ordinary.convolutions[4], made.ordinary.convolutions[3]
    gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    np.testing.assert_allclose(layers[1][0], conv.weight.detach().numpy() * gain[:, None, None, None], rtol=1e-5)


def test_another_graph_is_named(tmp_path):
    write_linear_onnx(tmp_path / "ann.onnx", np.zeros((11, 2, 4, 4)))
    with pytest.raises(InputError, match="layers with weight and bias"):
        read_onnx(tmp_path / "ann.onnx")


def test_without_onnx_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    made = HybridNetwork(NetworkSpec(0))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingError, match=r"spikebridge\[train\]"):
        write_onnx(made.ordinary, made.spec, tmp_path / "ann.onnx")

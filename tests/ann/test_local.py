import numpy as np
import pytest

from bundles import write_linear_onnx
from spikebridge.ann import local, open_ann
from spikebridge.ann.local import LocalAnn
from spikebridge.bundle import load_model
from spikebridge.contracts import LABELS
from spikebridge.errors import BundleError, MissingError, UsageError


@pytest.fixture
def linear(tmp_path):
    weights = np.random.default_rng(0).normal(size=(len(LABELS), 3, 4, 5)).astype(np.float32)
    write_linear_onnx(tmp_path / "ann.onnx", weights)
    return tmp_path / "ann.onnx", weights


def test_logits_equal_the_product(linear):
    path, weights = linear
    ann = LocalAnn(path, (3, 4, 5), len(LABELS))
    features = np.random.default_rng(1).integers(0, 5, (3, 4, 5)).astype(np.uint8)
    assert np.allclose(ann.classify(features), np.einsum("nchw,chw->n", weights, features), rtol=1e-5)
    assert ann.name == "ONNX Runtime CPU"


def test_wrong_shape_or_label_count_is_refused_with_both(linear):
    with pytest.raises(BundleError, match=r"\[1, 3, 4, 6\].*found.*\[1, 3, 4, 5\]"):
        LocalAnn(linear[0], (3, 4, 6), len(LABELS))
    with pytest.raises(BundleError, match=r"\[1, 10\].*found.*\[1, 11\]"):
        LocalAnn(linear[0], (3, 4, 5), 10)


def test_a_file_that_is_not_onnx(tmp_path):
    path = tmp_path / "ann.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(BundleError, match="to be an ONNX network, found:"):
        LocalAnn(path, (3, 4, 5), len(LABELS))


def test_a_provider_that_is_not_there_is_refused(linear):
    with pytest.raises(MissingError, match=r"CUDAExecutionProvider \(--ann cuda\), found"):
        LocalAnn(linear[0], (3, 4, 5), len(LABELS), "cuda")


def test_two_runtimes_in_one_environment_are_refused(linear, monkeypatch):
    monkeypatch.setattr(local.metadata, "version", lambda name: "1.0")
    with pytest.raises(MissingError, match="overwrite each other"):
        LocalAnn(linear[0], (3, 4, 5), len(LABELS))


def test_unknown_backends(tmp_path):
    from bundles import write_ordinary_bundle

    bundle = load_model(write_ordinary_bundle(tmp_path / "b"))
    with pytest.raises(UsageError, match="cpu, cuda, tensorrt"):
        open_ann("gpu", bundle)
    with pytest.raises(MissingError, match="remote servers"):
        open_ann("grpc://localhost:8001/m", bundle)
    assert open_ann("cpu", bundle).name == "ONNX Runtime CPU"

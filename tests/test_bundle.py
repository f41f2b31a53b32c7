"""A broken bundle is refused with what was expected and what was found."""

import re

import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.errors import BundleError


def edit(folder, pattern, replacement):
    path = folder / "model.toml"
    text, n = re.subn(pattern, replacement, path.read_text(), flags=re.M)
    assert n >= 1
    path.write_text(text)


def test_loads(tmp_path):
    bundle = load_model(write_ordinary_bundle(tmp_path / "tiny"))
    assert bundle.name == "tiny"
    assert bundle.snn is None
    assert bundle.spikes_shape == (2, 8, 8)
    assert bundle.ann.input_shape == (4, 8, 8)
    assert bundle.delay_us == 0


def test_unknown_name_lists_the_shipped():
    with pytest.raises(BundleError, match="named or at 'nothing-like-it', found none; shipped are:"):
        load_model("nothing-like-it")


def test_folder_without_contract(tmp_path):
    with pytest.raises(BundleError, match=r"expected a model\.toml"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"^format = 1", "format = 2", "expected format to be 1, found 2"),
        (r'"hand_clap",', "", "the 11 labels of DVS128 Gesture"),
        (r'"hand_clap",\s*"right_hand_wave",', '"right_hand_wave", "hand_clap",', "in order"),
        (r"^input_shape = \[\s*4,", "input_shape = [5,", r"\[4, 8, 8\], the accumulator's, found \[5, 8, 8\]"),
        (r"^interval_steps = 2", "interval_steps = 3", "a divisor of window_steps = 4, found 3"),
        (r"^threshold = .*", "threshold = 1.5", "a probability in 0…1, found 1.5"),
        (r"^temperature = .*", "temperature = 0.0", "above 0"),
        (r"^temperature = .*", "temperature = 1.0\nother_odds = 0", "decision.other_odds to be a number above 0"),
        (r"^temperature = .*", "temperature = nan", "expected decision.temperature to be a number, found nan"),
        (r"^threshold = .*", "threshold = inf", "expected decision.threshold to be a number, found inf"),
        (r"^fit = .*", 'fit = "wide"', "'center' or 'full', found 'wide'"),
        (r"^width = 8", 'width = "8"', "input.width to be of type int, found '8'"),
        (r"^step_us = .*", "step_us = 0", "at least 1, found 0"),
        (r"^sha256 = .*", 'sha256 = "0123"', r"expected ann\.sha256 to be the hash of ann\.onnx"),
        (r"^file = .*", 'file = "other.onnx"', r"no other\.onnx"),
        (r"^max_count = 1", "max_count = 200", r"at most 255 \(uint8\), found up to 400"),
        (r"^title", "= title", "readable TOML"),
    ],
)
def test_broken_contract(tmp_path, pattern, replacement, message):
    folder = write_ordinary_bundle(tmp_path / "broken")
    edit(folder, pattern, replacement)
    with pytest.raises(BundleError, match=message):
        load_model(folder)

"""Accuracies in training, on numbers whose answer is known and on clips."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.contracts import LABELS  # noqa: E402
from spikebridge.errors import InputError  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec  # noqa: E402
from spikebridge.training.validation import Validation, validate, windows_of  # noqa: E402
from standin_clips import write_set  # noqa: E402


def test_accuracies_by_hand():
    """Clip 7 has two windows, one sure and right, one unsure and wrong; clip 9 has one that is wrong."""
    logits = np.zeros((3, 11), np.float32)
    logits[0, 2], logits[1, 4], logits[2, 0] = 4.0, 1.0, 1.0
    found = Validation(logits, np.array([2, 2, 1]), np.array([7, 7, 9]), 12.0)
    assert found.window_accuracy == pytest.approx(1 / 3)
    assert found.clip_accuracy == 0.5


def test_windows_lie_side_by_side_or_every_hop(tmp_path):
    clips = write_set(tmp_path, persons=1)  # 32 steps each
    network = HybridNetwork(NetworkSpec(1, window_steps=8, interval_steps=4))
    found = validate(network, clips, range(len(LABELS)), warm=False)
    assert len(found.labels) == 4 * len(LABELS)
    assert found.clips.tolist() == np.repeat(np.arange(11), 4).tolist()
    assert found.spikes_per_window > 0
    assert len(validate(network, clips, [0], warm=True, hop_steps=4).labels) == 7


def test_only_spiking_layers_need_steps_before_a_window():
    assert windows_of(NetworkSpec(2), warm=True).warm_up_steps == 12
    assert windows_of(NetworkSpec(2), warm=False).warm_up_steps == 0
    assert windows_of(NetworkSpec(0), warm=True).warm_up_steps == 0
    assert windows_of(NetworkSpec(0, step_us=5_000), warm=True).step_ticks == 50


def test_clips_that_are_too_short_are_named(tmp_path):
    network = HybridNetwork(NetworkSpec(0, window_steps=40))
    with pytest.raises(InputError, match="at least 40 steps"):
        validate(network, write_set(tmp_path, persons=1), [0], warm=False)

"""Steps and decisions with figures chosen by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spikebridge.chain import ChainStep
from spikebridge.contracts import LABELS
from spikebridge.snapshot import Decision
from spikebridge.stages import WORKING

#: Different for each stage, so that no two can be swapped unseen.
LATENCY_US = {
    "source": 1.0,
    "inbox": 20.0,
    "bin": 300.0,
    "snn": 4_000.0,
    "accumulator": 50_000.0,
    "ann": 600_000.0,
    "decision": 7_000_000.0,
}
WORK_US = {"bin": 1.0, "snn": 10.0, "accumulator": 100.0, "ann": 1_000.0, "decision": 10_000.0}


def decided(
    label: str | None = None,
    *,
    t_us: int = 10_000,
    confidence: float = 0.9,
    settled: bool = True,
    end_to_end_us: float | None = 800.0,
    latency_us: Mapping[str, float] | None = None,
) -> Decision:
    """``confidence`` in ``label`` (in the first class where none is named), the rest shared by the others."""
    index = None if label is None else LABELS.index(label)
    probabilities = np.full(len(LABELS), (1 - confidence) / (len(LABELS) - 1), np.float32)
    probabilities[index or 0] = confidence
    latency_us = LATENCY_US if latency_us is None else latency_us
    return Decision(t_us, label, index, probabilities, latency_us, end_to_end_us, settled=settled)


def step(decision: Decision | None = None, latency_us: Mapping[str, float] | None = None) -> ChainStep:
    """One step that took ``LATENCY_US`` and worked ``WORK_US``; what only decisions need is 0 without one."""
    latency_us = dict(LATENCY_US if latency_us is None else latency_us)
    work_us = dict(WORK_US)
    if decision is None:
        for key in ("ann", "decision"):
            latency_us[key] = work_us[key] = 0.0
    features = None if decision is None else np.zeros((4, 2, 2), np.uint8)
    return ChainStep(decision, features, latency_us, {key: work_us[key] for key in WORKING})

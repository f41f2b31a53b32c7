"""Bounds are those of five recordings of a DVS128, widened: 44–125 k events/s, ON 0.49–0.52, repeats 0.30–0.38 …"""

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.simulator import simulate_clip

DURATION_US = 1_000_000


@pytest.fixture(scope="module")
def clips():
    return [simulate_clip(label, 30 + seed, DURATION_US)[0] for label in LABELS for seed in range(3)]


def repeats(events):
    """Time in µs and polarity change between successive events of one pixel."""
    pixel = events["y"].astype(np.int64) * 128 + events["x"]
    order = np.lexsort((events["t"], pixel))
    same_pixel = np.diff(pixel[order]) == 0
    between = np.diff(events["t"][order])[same_pixel]
    changed = np.diff(events["polarity"][order].astype(int))[same_pixel] != 0
    return between, changed


def test_event_rate(clips):
    rates = [clip.size / (DURATION_US * 1e-6) for clip in clips]
    assert 40_000 < np.median(rates) < 130_000


def test_share_of_on_events(clips):
    assert 0.46 < np.median([clip["polarity"].mean() for clip in clips]) < 0.54


def test_rate_over_time_is_neither_constant_nor_bursty(clips):
    variation = []
    for clip in clips:
        rate = np.bincount(clip["t"] // 10_000, minlength=100)
        variation.append(rate.std() / rate.mean())
    assert 0.15 < np.median(variation) < 0.55


def test_repeats_within_a_millisecond_and_their_polarity(clips):
    soon, changed = zip(*((np.mean(dt < 1000), np.mean(c[dt < 1000])) for dt, c in map(repeats, clips)), strict=True)
    assert 0.15 < np.median(soon) < 0.5
    assert 0.3 < np.median(changed) < 0.75


def test_a_still_person_makes_few_events():
    still = np.median([simulate_clip("idle", seed, DURATION_US)[0].size for seed in range(5)])
    assert 300 < still < 40_000


def test_event_times_do_not_stick_to_the_frames(clips):
    phase = np.concatenate([clip["t"] % 2500 for clip in clips])
    share = np.histogram(phase, 10, (0, 2500))[0] / phase.size
    assert share.max() < 0.2

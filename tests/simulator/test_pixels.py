from dataclasses import replace

import numpy as np
import pytest

from spikebridge.simulator.pixels import PixelArray
from spikebridge.simulator.ranges import DEFAULT_RANGES

#: A sensor without faults and with a threshold of 0.1.
IDEAL = replace(
    DEFAULT_RANGES, threshold=(0.1, 0.1), threshold_mismatch=0.0, threshold_jitter=0.0, polarity_bias=0.0,
    low_pass_us_log=(1.0, 1.0), refractory_us=(0.0, 0.0), echo_share=(0.0, 0.0), twin_share=(0.0, 0.0),
    scatter_share=(0.0, 0.0), background_hz_log=(1e-9, 1e-9), body_noise_hz=(0.0, 0.0),
    hot_pixels=(0, 1), noisy_row_hz=(0.0, 0.0), event_rate_limit_hz_log=(1e12, 1e12),
)  # fmt: skip


def sensor(size=16, **changes):
    return PixelArray(np.zeros((size, size), np.float32), np.random.default_rng(0), replace(IDEAL, **changes), (8, 8))


def ramp(pixels, height, duration_us=10_000, n=4, size=16):
    """Events while all pixels go up by ``height``."""
    frames = np.empty((n, size, size), np.float32)
    frames[:] = (height * np.arange(1, n + 1) / n)[:, None, None]
    pixels.expose(frames, np.zeros(n, np.float32), np.arange(n + 1) * duration_us // n)
    return pixels.take(0, duration_us)


@pytest.mark.parametrize(("height", "polarity"), [(1.0, 1), (-1.0, 0)])
def test_a_ramp_gives_one_event_per_threshold_spread_over_time(height, polarity):
    events = ramp(sensor(), height)
    assert events.size / 256 == pytest.approx(10, abs=1)
    assert np.all(events["polarity"] == polarity)
    one = events["t"][(events["x"] == 3) & (events["y"] == 5)]
    assert np.diff(one) == pytest.approx(1000, abs=2)


def test_nothing_moves_nothing_fires():
    assert ramp(sensor(), 0.0).size == 0


def test_the_dead_time_holds():
    events = ramp(sensor(refractory_us=(3000.0, 3000.0)), 1.0)
    order = np.lexsort((events["t"], events["y"] * 16 + events["x"]))
    same = np.diff((events["y"] * 16 + events["x"])[order].astype(int)) == 0
    assert np.diff(events["t"][order])[same].min() >= 2999


def test_the_low_pass_goes_its_share_of_the_way():
    """1 - 1/e of a step in one time constant is 6.32 thresholds of a tenth of the step: six events, or five where the
    pixel began more than 0.32 thresholds ahead; all of them begin within ± 0.45."""
    pixels = sensor(size=64, low_pass_us_log=(2500.0, 2500.0))
    pixels.expose(np.ones((1, 64, 64), np.float32), np.zeros(1, np.float32), np.array([0, 2500]))
    assert pixels.take(0, 2500).size / 64**2 == pytest.approx(5 + (0.321 + 0.45) / 0.9, abs=0.02)


def test_the_light_s_flicker_adds_to_every_pixel():
    pixels = sensor(size=8)
    pixels.expose(np.zeros((2, 8, 8), np.float32), np.array([1.0, 0.0], np.float32), np.array([0, 2500, 5000]))
    events = pixels.take(0, 5000)
    assert np.all((events["polarity"] == 1) == (events["t"] < 2500))
    assert np.bincount(events["y"] * 8 + events["x"]).tolist() == pytest.approx([20] * 64, abs=2)


def test_low_pass_delays():
    fast, slow = ramp(sensor(), 1.0), ramp(sensor(low_pass_us_log=(3000.0, 3000.0)), 1.0)
    assert slow["t"].min() > fast["t"].min() + 300
    assert slow.size < fast.size


def test_echoes_have_the_other_polarity_and_come_later():
    plain, echoing = ramp(sensor(), 1.0), ramp(sensor(echo_share=(0.3, 0.3)), 1.0)
    share = (echoing["polarity"] == 0).sum() / plain.size
    assert share == pytest.approx(0.3, abs=0.05)


def test_late_echoes_wait_for_the_next_step():
    pixels = sensor(echo_share=(1.0, 1.0), echo_delay_us=(5000.0, 5000.0))
    now = ramp(pixels, 1.0)
    later = pixels.take(10_000, 20_000)
    assert now["t"].max() < 10_000
    assert later.size > 100
    assert later["t"].min() >= 10_000
    assert np.all(later["polarity"] == 0)


def test_what_moves_throws_events_aside():
    pixels = sensor(size=64, scatter_share=(0.5, 0.5), scatter_px=(3.0, 3.0))
    frames = np.zeros((1, 64, 64), np.float32)
    frames[0, 32, 32] = 2.0
    pixels.expose(frames, np.zeros(1, np.float32), np.array([0, 10_000]))
    events = pixels.take(0, 100_000)
    aside = events[(events["x"] != 32) | (events["y"] != 32)]
    assert aside.size == pytest.approx(10, abs=7)
    assert np.abs(aside["x"].astype(int) - 32).max() <= 9
    assert np.abs(aside["y"].astype(int) - 32).max() <= 9


def test_background_activity_has_its_rate():
    pixels = sensor(size=64, background_hz_log=(0.5, 0.5))
    events = np.concatenate([pixels.take(i * 10_000, (i + 1) * 10_000) for i in range(500)])
    assert events.size / 5 / 64**2 == pytest.approx(0.5, rel=0.15)


def test_a_flood_of_events_is_kept_and_sorted():
    pixels = sensor(size=64)
    events = ramp(pixels, 20.0, size=64)
    assert events.size / 64**2 == pytest.approx(200, abs=2)
    assert np.all(np.diff(events["t"]) >= 0)


def test_more_events_than_the_sensor_reads_out_are_lost_everywhere_alike():
    all_of_them = ramp(sensor(), 1.0)
    events = ramp(sensor(event_rate_limit_hz_log=(1e5, 1e5)), 1.0)
    assert all_of_them.size > 2000
    assert events.size == 1000
    assert np.bincount(events["y"], minlength=16).min() > 40
    assert np.all(np.diff(events["t"]) >= 0)

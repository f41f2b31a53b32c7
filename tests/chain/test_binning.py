from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebridge.bundle import InputSpec
from spikebridge.chain.binning import Binner, _count, crop_of
from spikebridge.events import EventArray, EventPacket, Sensor, make_events
from spikebridge.settings import Fit


def spec(width: int = 128, height: int = 128, max_count: int = 255, fit: Fit = "center") -> InputSpec:
    return InputSpec(width, height, 10_000, max_count, fit)


def packet(events: EventArray) -> EventPacket:
    events.flags.writeable = False
    return EventPacket(events, 0, 10_000, 0, 0)


def test_dvs128_maps_one_to_one() -> None:
    binner = Binner(spec(), Sensor(128, 128))
    counts = binner(packet(make_events([0, 1, 2, 3], [5, 5, 127, 0], [9, 9, 127, 0], [1, 1, 0, 1])))
    assert counts.shape == (2, 128, 128)
    assert counts.dtype == np.uint8
    assert {tuple(index): int(counts[tuple(index)]) for index in np.argwhere(counts)} == {
        (1, 9, 5): 2,
        (0, 127, 127): 1,
        (1, 0, 0): 1,
    }
    assert binner.outside == 0


def test_counts_are_kept_by_whoever_holds_them() -> None:
    binner = Binner(spec(), Sensor(128, 128))
    first = binner(packet(make_events([0], [1], [2], [1])))
    second = binner(packet(make_events([], [], [], [])))
    assert first.sum() == 1
    assert second.sum() == 0
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0] = 1


@pytest.mark.parametrize(("max_count", "seen"), [(1, 1), (3, 3), (255, 255)])
def test_counts_saturate(max_count: int, seen: int) -> None:
    n = 300
    counts = Binner(spec(max_count=max_count), Sensor(128, 128))(
        packet(make_events([0] * n, [1] * n, [2] * n, [0] * n))
    )
    assert counts[0, 2, 1] == seen
    assert counts.sum() == seen


def test_the_crop_is_centred_with_the_aspect_of_the_network() -> None:
    assert crop_of(128, 128, "center", Sensor(346, 260)) == (43, 0, 260, 260)
    assert crop_of(128, 128, "center", Sensor(240, 320)) == (0, 40, 240, 240)
    assert crop_of(128, 64, "center", Sensor(100, 100)) == (0, 25, 100, 50)
    assert crop_of(128, 128, "full", Sensor(346, 260)) == (0, 0, 346, 260)
    # A line of pixels is cropped to one of them, not to none.
    assert crop_of(32, 64, "center", Sensor(400, 1)) == (199, 0, 1, 1)
    assert crop_of(64, 32, "center", Sensor(1, 400)) == (0, 199, 1, 1)


@pytest.mark.parametrize("max_count", [0, 256])
def test_a_max_count_that_no_byte_holds_is_refused(max_count: int) -> None:
    with pytest.raises(ValueError, match=f"got {max_count}"):
        Binner(spec(max_count=max_count), Sensor(128, 128))


def test_one_compiled_kernel_serves_every_sensor() -> None:
    """Compiled when the first binner is built: it takes a second, which must not fall into a step of a later one."""
    for sensor in (Sensor(128, 128), Sensor(346, 260)):
        Binner(spec(), sensor)(packet(make_events([0], [1], [2], [1])))
    assert len(_count.signatures) == 1


sensors = st.tuples(st.integers(1, 400), st.integers(1, 400))


@given(sensors, st.sampled_from([(128, 128), (64, 32)]), st.sampled_from(["center", "full"]), st.integers(0, 99))
def test_every_event_lands_where_the_bundle_says(
    size: tuple[int, int], input_size: tuple[int, int], fit: Fit, seed: int
) -> None:
    random = np.random.default_rng(seed)
    width, height = size
    x, y, polarity = (random.integers(0, n, 50) for n in (width, height, 2))
    binner = Binner(spec(*input_size, fit=fit), Sensor(width, height))
    counts = binner(packet(make_events(np.arange(50), x, y, polarity)))
    expected = np.zeros((2, input_size[1], input_size[0]), np.uint8)
    x0, y0, crop_width, crop_height = crop_of(*input_size, fit, Sensor(width, height))
    outside = 0
    for event_x, event_y, channel in zip(x.tolist(), y.tolist(), polarity.tolist(), strict=True):
        column = (event_x - x0) * input_size[0] // crop_width
        row = (event_y - y0) * input_size[1] // crop_height
        if 0 <= column < input_size[0] and 0 <= row < input_size[1]:
            expected[channel, row, column] += 1
        else:
            outside += 1
    assert np.array_equal(counts, expected)
    assert binner.outside == outside
    assert fit != "full" or outside == 0


def test_events_beyond_the_sensor_count_as_outside() -> None:
    binner = Binner(spec(), Sensor(128, 128))
    x, y = [128, 32_773, 5, 5, 5, 6], [5, 5, 128, 32_773, 65_535, 7]
    for expected in (5, 10):
        counts = binner(packet(make_events(range(6), x, y, [0] * 6)))
        assert np.argwhere(counts).tolist() == [[0, 7, 6]]
        assert binner.outside == expected


def test_any_polarity_but_zero_is_on() -> None:
    counts = Binner(spec(), Sensor(128, 128))(packet(make_events(range(4), [3] * 4, [4] * 4, [1, 2, 128, 255])))
    assert (counts[1, 4, 3], counts.sum()) == (4, 4)


def test_events_need_not_lie_side_by_side() -> None:
    events = make_events(range(6), range(6), [0] * 6, [1] * 6)[::2]
    assert np.flatnonzero(Binner(spec(), Sensor(128, 128))(packet(events))[1, 0]).tolist() == [0, 2, 4]

"""Arrays of events."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.events import EVENT_DTYPE, empty_events, join_events, make_events


def some(n: int, t: int = 0):
    return make_events(range(t, t + n), range(n), range(n, 2 * n), np.arange(n) % 2)


@pytest.mark.parametrize("sizes", [(), (0,), (3,), (3, 0, 2), (1, 1, 1)])
def test_parts_are_joined_in_order(sizes):
    parts = [some(n, 10 * i) for i, n in enumerate(sizes)]
    joined = join_events(parts)
    assert joined.dtype == EVENT_DTYPE
    for name in EVENT_DTYPE.names:
        assert joined[name].tolist() == [value for part in parts for value in part[name].tolist()]


def test_what_is_joined_is_new_and_can_be_changed():
    part = some(3)
    part.flags.writeable = False
    joined = join_events([part])
    joined["t"] += 5
    assert part["t"].tolist() == [0, 1, 2]


def test_slices_and_strides_are_joined_too():
    assert join_events([some(6)[1:3], some(6)[::2]])["t"].tolist() == [1, 2, 0, 2, 4]
    assert join_events([empty_events()]).size == 0

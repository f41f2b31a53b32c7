from __future__ import annotations

import numpy as np
import pytest

from spikebridge.events import EVENT_DTYPE
from spikebridge.recordings import ordering
from spikebridge.recordings.partial_blocks import give_some

WORDS = np.zeros(200, ordering.WORDS_DTYPE)
WORDS["t"] = np.arange(1000, 1200)
WORDS["rest"] = np.arange(200)


@pytest.mark.parametrize("room", [0, 100, 150, 199, 200, 400])
def test_events_end_up_where_they_belong(room: int) -> None:
    """100 events in place, then 100 of a block for which there is more, just enough or no room."""
    state = ordering.new_state()
    out = ordering.as_words(np.zeros(room, EVENT_DTYPE))
    n = 0
    for start in (0, 100):
        in_place = n + 150 <= room
        block = out[n : n + 150] if in_place else np.zeros(150, ordering.WORDS_DTYPE)
        block[:100] = WORDS[start : start + 100]
        n = give_some(state, block, 100, n, out)
    assert n == 200
    assert state[ordering.NEWEST] == 1199
    whole = room // 200 * 200 or room // 100 * 100
    assert out["t"][: min(whole, 200)].tolist() == list(range(1000, 1000 + min(whole, 200)))


def test_no_events_change_nothing() -> None:
    state = ordering.new_state()
    assert give_some(state, WORDS[:5], 0, 7, WORDS[:0]) == 7
    assert state.tolist() == ordering.new_state().tolist()

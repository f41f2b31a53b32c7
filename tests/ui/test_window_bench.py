from __future__ import annotations

import math

from fake_session import FakeSession

from spikebridge.ui.bench import measure_drawing, measure_window


def test_drawing_is_measured(application):
    ms, held = measure_drawing(32, 32, seconds=0.2)
    assert 0 < ms < math.inf
    assert held > 0


def test_a_window_is_measured_and_closed(application):
    sessions = []

    def opener(uri, _say):
        sessions.append(FakeSession(uri, lanes=3))
        return sessions[-1]

    share, held = measure_window(opener, "sim:", seconds=0.2)
    assert 0 < share < 1.5
    assert held > 0
    assert sessions[0].closed

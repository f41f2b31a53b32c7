from __future__ import annotations

import time

import pytest

from spikebridge.ui.frame_clock import FrameClock, display_timer


def test_pieces_of_a_frame_add_up(monkeypatch):
    now_ns = iter([0, 2_000_000, 10_000_000, 11_000_000, 11_000_000, 20_000_000, 24_000_000, 31_000_000])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(now_ns))
    clock = FrameClock()
    # a frame of 2 + 1 ms, on the screen at 11 ms, and one of 4 ms, there at 31 ms
    for _ in range(2):
        clock.began()
        clock.ended()
    clock.frame()
    clock.began()
    clock.ended()
    clock.frame()
    figures = clock.figures()
    assert figures.p50_ms == pytest.approx(3.5)
    assert figures.frames_per_s == pytest.approx(1 / 0.020)
    assert figures.frames == 2
    clock.clear()
    assert clock.figures().frames_per_s == 0


def test_a_display_timer_keeps_60_frames_a_second(application, until):
    frames = []
    timer = display_timer(lambda: frames.append(time.perf_counter()))
    until(lambda: len(frames) == 3)
    timer.stop()
    assert timer.interval() == 16

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recording_files import aedat2, dvs128_words, random_events, write
from spikebridge.events import make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat import aedat2 as aedat2_module
from spikebridge.recordings.sensors import smallest_sensor


def test_what_is_odd_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aedat2_module, "_CHUNK_BYTES", 8 * 100)
    t = 1000 * np.arange(1000)
    t[450] -= 300_000
    t[800:] -= 700_000
    events = make_events(t, [1] * 1000, [2] * 1000, [0] * 1000)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    stray, reset = recording.places
    assert (stray.out_of_order, stray.resets, stray.dropped, stray.skipped_bytes) == (1, 0, 0, 0)
    assert (stray.start_us, stray.stop_us) == (399_000, 499_000)
    assert (reset.out_of_order, reset.resets) == (0, 1)
    assert reset.start_us == 799_000


def test_a_recording_in_order_has_no_odd_place(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(random_events(1000)))))
    assert recording.places == ()


@pytest.mark.parametrize(
    ("found", "known"),
    [
        ((1, 1), (34, 34)),
        ((128, 128), (128, 128)),
        ((129, 100), (208, 192)),
        ((345, 259), (346, 260)),
        ((700, 20), (1280, 720)),
    ],
)
def test_the_smallest_known_sensor(found: tuple[int, int], known: tuple[int, int]) -> None:
    assert smallest_sensor(*found) == known


def test_larger_than_any_is_what_it_is() -> None:
    assert smallest_sensor(2000, 10) == (2000, 10)

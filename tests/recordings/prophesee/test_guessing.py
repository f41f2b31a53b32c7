from __future__ import annotations

import numpy as np
import pytest

from prophesee_files import evt2, evt3, evt21, swapped
from recording_files import SHARED, needs_shared, random_events
from spikebridge.recordings.prophesee.guessing import guess_kind, guess_order
from spikebridge.recordings.prophesee.words import EVT2, EVT3, EVT21, EVT21_LEGACY, Kind

EVENTS = random_events(3000, width=640, height=480)
SIZE = (640, 480)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (evt2(EVENTS).tobytes(), EVT2),
        (evt2(EVENTS).tobytes()[:-3], EVT2),
        (evt21(EVENTS).tobytes(), EVT21),
        (swapped(evt21(EVENTS)).tobytes(), EVT21_LEGACY),
        (evt3(EVENTS).tobytes(), EVT3),
    ],
)
def test_words_are_told_apart(content: bytes, kind: Kind) -> None:
    assert guess_kind(content, SIZE) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(4000),
        np.random.default_rng(1).bytes(4000),
        b"t,x,y,p\n" + b"1000,3,4,1\n" * 500,
        np.arange(3000).astype("<u4").tobytes(),
        evt2(EVENTS[:3]).tobytes(),
    ],
)
def test_other_bytes_are_none(content: bytes) -> None:
    assert guess_kind(content, SIZE) is None
    assert guess_order(content, SIZE) is None


def test_a_sensor_that_is_too_small_for_the_words() -> None:
    assert guess_kind(evt2(EVENTS).tobytes(), (128, 128)) is None
    assert guess_kind(evt3(EVENTS).tobytes(), (128, 128)) is None


def test_time_that_jumps_at_most_words_is_none() -> None:
    words = evt2(EVENTS)
    time = words >> 28 == 8
    words[time] = 0x80000000 | np.random.default_rng(1).integers(0, 1 << 28, np.count_nonzero(time)).astype(np.uint32)
    assert guess_kind(words.tobytes(), SIZE) is None


@needs_shared
@pytest.mark.parametrize(
    ("name", "start", "kind"), [("headerless_evt2_dirty.bin", 0, EVT2), ("evt3_gen41.raw", 166, EVT3)]
)
def test_real_words(name: str, start: int, kind: Kind) -> None:
    content = (SHARED / "formats" / name).read_bytes()[start:]
    assert guess_kind(content[: 1 << 20], (1280, 720)) is kind

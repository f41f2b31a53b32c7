"""Where a file is divided changes nothing, and neither does the order in which its parts are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_files import (
    aedat2,
    aedat3,
    aedat3_other_packet,
    aedat3_packet,
    davis_words,
    dvs128_words,
    random_events,
    same,
    write,
)
from spikebridge.errors import InputError
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat import aedat2 as aedat2_module
from spikebridge.recordings.aedat import aedat3 as aedat3_module

EVENTS = random_events(2000, longest_us=100)
JUMPS = st.sampled_from([-1, -60, -100_000, -100_001, -998_999, 70, 1_000_000, 600_000_001, 1 << 31])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    events = EVENTS.copy()
    events["t"] += draw(st.sampled_from([0, (1 << 32) - 50_000]))
    for start, jump_us, length in draw(
        st.lists(st.tuples(st.integers(0, 1999), JUMPS, st.sampled_from([1, 30, 2000])), max_size=3)
    ):
        events["t"][start : start + length] += jump_us
    kind = draw(st.sampled_from(["DVS128", "DAVIS240C", "AEDAT 3.1"]))
    if kind == "AEDAT 3.1":
        events["t"] = np.maximum(events["t"], 0)
        size = draw(st.sampled_from([1, 9, 100, 1500]))
        packets = [
            aedat3_packet(events[start : start + size], overflow=int(events["t"][start] >> 31))
            for start in range(0, events.size, size)
        ]
        packets.insert(len(packets) // 2, aedat3_other_packet(3, 36, 5))
        content = aedat3(*packets)
    else:
        words = bytearray(dvs128_words(events) if kind == "DVS128" else davis_words(events, 240, 180))
        for place in draw(st.lists(st.integers(0, 1999), max_size=9)):
            words[8 * place] |= 0x80  # a special word, or one of a frame
        content = aedat2(kind.encode(), bytes(words))
    for place, bits in draw(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3)):
        at = 200 + int(place * (len(content) - 200))
        content = content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]
    return content[: len(content) - draw(st.sampled_from([0, 0, 5, 300]))]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.integers(1, 300), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4))
def test_small_chunks_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, per_chunk: int, windows: list[tuple[float, float]]
) -> None:
    path = write(tmp_path, content)
    try:
        whole = open_recording(path)
    except InputError:
        return
    events = np.concatenate(list(whole.chunks()))
    with monkeypatch.context() as patch:
        patch.setattr(aedat2_module, "_CHUNK_BYTES", 8 * per_chunk)
        patch.setattr(aedat3_module, "CHUNK_EVENTS", per_chunk)
        recording = open_recording(path)
        assert recording.index.events.max() <= per_chunk + 72  # and what was held before
        span_us = int(events["t"][-1] - events["t"][0]) + 2
        for parts in windows:
            start_us, stop_us = (int(events["t"][0]) - 1 + int(part * span_us) for part in parts)
            inside = (events["t"] >= start_us) & (events["t"] < stop_us)
            assert same(recording.read(start_us, stop_us), events[inside])
        assert same(np.concatenate(list(recording.chunks())), events)
    counters = whole.counters()
    assert recording.counters().notes == counters.notes
    assert recording.counters().skipped_bytes == counters.skipped_bytes
    assert (recording.info, recording.streams) == (whole.info, whole.streams)

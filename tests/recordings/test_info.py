from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recording_files import aedat2, aedat3, aedat3_other_packet, aedat3_packet, dvs128_words, random_events, write
from spikebridge.events import make_events
from spikebridge.recordings.info import describe


def test_all_keys_with_their_values(tmp_path: Path) -> None:
    events = make_events([1000, 2000, 10_999, 11_000, 35_000], [1, 2, 3, 4, 5], [0] * 5, [1, 1, 0, 0, 1])
    content = aedat3(aedat3_packet(events), aedat3_other_packet(3, 36, 1), b"rest")
    assert describe(write(tmp_path, content)) == {
        "format": "AEDAT 3.1",
        "sensor": {"width": 128, "height": 128, "name": "DVS128"},
        "events": 5,
        "t_first_us": 1000,
        "t_last_us": 35_000,
        "on": 3,
        "off": 2,
        "max_rate_hz": 300.0,
        "streams": ["events", "imu"],
        "samples": {"imu": 1},
        "dropped": 0,
        "out_of_order": 0,
        "skipped_bytes": 4,
        "truncated": True,
        "notes": [
            "The file ends inside a packet; the events before were kept.",
        ],
    }


def test_the_highest_rate_across_chunks(tmp_path: Path) -> None:
    events = random_events(140_000, longest_us=3)
    described = describe(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    bins = np.bincount((events["t"] - events["t"][0]) // 10_000)
    assert described["max_rate_hz"] == bins.max() * 100
    json.dumps(described)


def test_a_bin_that_two_chunks_share_is_one(tmp_path: Path) -> None:
    t = np.concatenate([np.arange(60_000) * 100, np.full(10_000, 6_000_000)])
    column = np.zeros(t.size, np.int64)
    described = describe(write(tmp_path, aedat2(b"DVS128", dvs128_words(make_events(t, column, column, column)))))
    assert described["max_rate_hz"] == 1_000_000.0

"""Lines of a session: nothing of a decision is lost in them, and what is in them has one meaning."""

from __future__ import annotations

import json
import zlib

import numpy as np

from run.steps import decided as make_decision
from spikebridge.events import make_events
from spikebridge.run.session_files import Step, checksum, decided, read_steps, step_line


def test_a_probability_comes_back_to_the_last_bit():
    random = np.random.default_rng(3)
    decision = make_decision("arm_roll")
    values = np.array([*random.random(9), 1e-30, 1.0], np.float32)
    object.__setattr__(decision, "probabilities", values)
    line = json.loads(json.dumps(decided(decision)))
    assert np.array_equal(np.array(line["probabilities"], np.float32), values)
    assert line["probabilities"][-2:] == [1e-30, 1.0]
    assert {key: line[key] for key in ("t_us", "label", "index", "gap", "settled")} == {
        "t_us": 10_000, "label": "arm_roll", "index": 7, "gap": False, "settled": True,
    }  # fmt: skip


def test_the_checksum_is_of_every_column_and_the_time_since_the_step():
    events = make_events([1_000_007, 1_000_300], [3, 258], [4, 5], [1, 0])
    expected = zlib.crc32(bytes([7, *[0] * 7, 44, 1, *[0] * 6, 3, 0, 2, 1, 4, 0, 5, 0, 1, 0]))
    assert checksum(events, 1_000_000) == expected
    later = events.copy()
    later["t"] += 500
    assert checksum(later, 1_000_500) == expected


def test_a_step_comes_back_from_its_line(tmp_path):
    decision = make_decision("other")
    with_decision = Step("one", 5, 50_000, 90_000, True, 12, 345, (0.25, 20_000), decided(decision))
    without = Step("two", 0, 0, 0, False, 0, 0, None, None)
    lines = [step_line(with_decision, decision), step_line(without, None)]
    (tmp_path / "steps.jsonl").write_bytes(b"".join(lines) + b'{"lane":"one"')
    assert list(read_steps(tmp_path)) == [with_decision, without]
    figures = json.loads(lines[0])["decision"]
    assert figures["latency_us"]["ann"] == 600_000
    assert figures["end_to_end_us"] == 800

"""Minutes in which nobody makes a gesture, from the simulated camera: somebody stands still, or walks in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import LabelledClip, write_shard
from spikebridge.simulator import performance, simulate_clip
from spikebridge.simulator.body import draw_person
from spikebridge.simulator.camera import Recorder
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, Performance
from spikebridge.simulator.ranges import DEFAULT_RANGES

#: What somebody does who makes no gesture; each has a folder of this name.
KINDS = ("still", "walking in")
_CLIP_US = 4_000_000
#: Far from the seeds and the numbers of persons that are trained on.
_SEED, _FIRST_PERSON = 770_000_000, 1_000_000


def write_quiet(folder: Path, minutes: float) -> None:
    """Writes ``minutes`` of each kind, with another person every four seconds; what is there is left alone."""
    for kind in KINDS:
        for number in range(max(1, round(minutes * 60e6 / _CLIP_US))):
            if not (folder / kind / f"person-{number:05d}.json").is_file():
                write_shard(folder / kind, f"person-{number:05d}", _clips(kind, number))


def _clips(kind: str, number: int) -> Iterator[LabelledClip]:
    seed = _SEED + number
    if kind == "still":
        events, _ = simulate_clip(IDLE, seed, _CLIP_US)
    else:
        person = draw_person(np.random.default_rng([seed, 1]), DEFAULT_RANGES)
        performer = Performer(person, np.random.default_rng([seed, 2]), DEFAULT_RANGES)
        walk = Performance(Act(0.0, 0.2, None, performance.walk_in(performer)), lambda _: None)
        recorder = Recorder(person, walk, np.random.default_rng([seed, 3]), DEFAULT_RANGES, 128, 128)
        events = recorder.film(0, _CLIP_US)
    yield LabelledClip(events, LABELS.index("other"), _FIRST_PERSON + number, _CLIP_US)

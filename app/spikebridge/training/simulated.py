"""Sets of clips from the simulated camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.simulator import simulate_clip
from spikebridge.training.clips import Labelled, write_shard

#: Share of the class ``other`` in which somebody just stands there.
_STILL_SHARE = 0.3
#: Share of clips in which the gesture begins on camera.
_ONSET_SHARE = 0.25


def simulate_person(person: int, seed: int, duration_us: int, takes: int) -> Iterator[Labelled]:
    """``takes`` clips of every class by one person; ``other`` twice as often, since it is many things."""
    identity = _seed(seed, person)
    for take in range(takes):
        for place, label in enumerate([*range(len(LABELS)), LABELS.index("other")]):
            clip_seed = _seed(seed, person, take, place)
            random = np.random.default_rng(clip_seed)
            still = LABELS[label] == "other" and random.random() < _STILL_SHARE
            onset_us = int(random.integers(200_000, 500_000)) if random.random() < _ONSET_SHARE else None
            events, spans = simulate_clip(
                "idle" if still else LABELS[label],
                clip_seed,
                duration_us,
                person_seed=identity,
                onset_us=None if still else onset_us,
            )
            begins = [span.t_start_us for span in spans if span.label is not None]
            yield Labelled(events, label, person, duration_us, 0 if still or not begins else begins[0])


def simulate_shard(folder: Path, person: int, seed: int, duration_us: int, takes: int) -> None:
    """One person's clips as a shard of their own; left alone where it is there already."""
    name = f"person-{person:05d}"
    if not (folder / f"{name}.json").is_file():
        write_shard(folder, name, simulate_person(person, seed, duration_us, takes))


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])

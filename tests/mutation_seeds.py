"""Small whole files of every format, from which damaged ones are made; see ``fuzz_recordings``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bag_files import BagMaker
from recording_files import aedat2, aedat3, aedat3_other_packet, aedat3_packet, davis_words, dvs128_words, random_events
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.aedat.aedat4_header import Compression
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.formats import FORMATS

SENSOR = Sensor(128, 128, "DVS128")
N_EVENTS = 600


def _aedat4(compression: Compression) -> Callable[[Path, EventArray], None]:
    def make(path: Path, events: EventArray) -> None:
        with Aedat4Writer(path, SENSOR, compression) as writer:
            for start in range(0, events.size, 100):
                writer.write(events[start : start + 100])

    return make


def _aedat31(path: Path, events: EventArray) -> None:
    packets = [aedat3_packet(events[start : start + 100]) for start in range(0, events.size, 100)]
    path.write_bytes(aedat3(*packets[:3], aedat3_other_packet(3, 36, 2), *packets[3:]))


def _bag(version: int, storage: str = "") -> Callable[[Path, EventArray], None]:
    def make(path: Path, events: EventArray) -> None:
        made = path if version == 1 else path.with_name(f"bag-{storage}")
        with BagMaker(made, version, storage) as bag:
            for start in range(0, events.size, 100):
                bag.array(events[start : start + 100], (SENSOR.width, SENSOR.height))
        if made != path:
            next(file for file in made.iterdir() if file.suffix == path.suffix).rename(path)

    return make


#: Name → (suffix, writes events to a path). What the program can write itself is made by that.
MAKERS: dict[str, tuple[str, Callable[[Path, EventArray], None]]] = {
    "AEDAT 2.0 of a DVS128": (".aedat", lambda path, events: path.write_bytes(aedat2(b"DVS128", dvs128_words(events)))),
    "AEDAT 2.0 of a DAVIS": (
        ".aedat",
        lambda path, events: path.write_bytes(aedat2(b"DAVIS240C", davis_words(events, 240, 180))),
    ),
    "AEDAT 3.1": (".aedat", _aedat31),
    "AEDAT4, not compressed": (".aedat4", _aedat4("NONE")),
    "AEDAT4, LZ4": (".aedat4", _aedat4("LZ4")),
    "AEDAT4, ZSTD": (".aedat4", _aedat4("ZSTD")),
    "ROS 1 bag": (".bag", _bag(1)),
    "ROS 2 bag (MCAP)": (".mcap", _bag(2, "mcap")),
    "ROS 2 bag (SQLite)": (".db3", _bag(2, "sqlite3")),
}


def seeds(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, a whole file) for every format."""
    events = random_events(N_EVENTS, seed=5)
    for number, (name, (suffix, make)) in enumerate(MAKERS.items()):
        path = folder / f"{number}{suffix}"
        make(path, events)
        yield name, path
    for kind in FORMATS:
        if kind.writer and not kind.name.startswith("AEDAT"):
            path = folder / f"written{kind.suffixes[0]}"
            writer = kind.writing().open_writer(path, SENSOR)
            writer.write(events)
            writer.close()
            yield kind.name, path


#: Values that sizes and counts are set to.
_EXTREMES = (0, 1, 0x7F, 0x80, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """One to three changes: cut, flipped bits, a number set to an extreme, a stretch lost, doubled, moved or zeroed."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        if not changed:
            break
        n = len(changed)
        at = int(random.integers(0, n))
        length = int(min(n - at, 2 ** random.integers(0, 10)))
        kind = random.integers(0, 8)
        if kind == 0:
            del changed[at:]
        elif kind in (1, 2):
            changed[at] ^= 1 << int(random.integers(0, 8))
        elif kind == 3:
            size = int(random.choice([1, 2, 4, 8]))
            value = int(random.choice(_EXTREMES)) & (1 << 8 * size) - 1
            changed[at : at + size] = value.to_bytes(size, str(random.choice(["little", "big"])))  # type: ignore[arg-type]
        elif kind == 4:
            del changed[at : at + length]
        elif kind == 5:
            changed[at:at] = changed[at : at + length]
        elif kind == 6:
            changed[at : at + length] = random.bytes(length)
        else:
            changed[at : at + length] = bytes(length)
    return bytes(changed)

"""The recording in a bag of ROS: the first topic with events, its messages in stretches of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.formats import BAG_INDEX
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.prophesee.word_state import new_word_state
from spikebridge.recordings.ros.bag import Bag, Topic
from spikebridge.recordings.ros.messages import (
    ARRAYS,
    PACKETS,
    Message,
    MessageError,
    decode_message,
    read_message,
)
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

#: Messages that are looked at for the size of the sensor and of a message.
_LOOKED_AT = 64
#: Other cameras' events are counted in bags up to this size; of larger ones their messages.
_COUNTED_BYTES = 100_000_000
_MOST_PIECES = 1 << 20
_SAMPLES = {
    "sensor_msgs/msg/Image": "frames",
    "sensor_msgs/msg/CompressedImage": "frames",
    "sensor_msgs/msg/Imu": "imu",
}


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in a bag: a ``.bag``, ``.mcap`` or ``.db3`` file, or the folder of a ROS 2 bag."""
    path = path.parent if path.name == BAG_INDEX else path
    bag = Bag(path)
    topics = [topic for topic in bag.topics if topic.kind in (*ARRAYS, *PACKETS)]
    topic, first = _choose(path, bag, topics)
    sensor = Sensor(first[0].width, first[0].height, topic.name)
    pieces = _stretches(bag, topic, first)

    def run(piece: tuple[int, int], state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n = 0
        try:
            for content in bag.messages(topic.name, *piece):
                n = _decode(content, topic.kind, bag.aligned, sensor, state, n, out)
        except Exception:  # noqa: BLE001 - of a damaged bag the library raises what its parts raise
            state[ordering.DAMAGED] += 1
        return n

    others, notes = _others(path, bag, topic, topics)
    samples = _count_samples(bag)

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        cut = ("The end of the bag is missing; what could be found before it was read.",) if bag.truncated else ()
        return replace(
            found,
            dropped=found.dropped + others,
            truncated=bag.truncated,
            notes=notes + cut + found.notes,
            samples={**samples, **found.samples},
        )

    scan = Scan(path, pieces, run, report, new_word_state(), shared=False)
    return IndexedRecording(path, "ROS bag", sensor, scan)


def _decode(
    content: bytes,
    kind: str,
    aligned: bool,
    sensor: Sensor,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> int:
    try:
        message = read_message(content, kind, aligned)
    except MessageError:
        state[ordering.DAMAGED] += 1
        state[ordering.DAMAGED_BYTES] += len(content)
        return n
    return decode_message(message, sensor.width, sensor.height, state, n, out)


def _choose(path: Path, bag: Bag, topics: list[Topic]) -> tuple[Topic, list[Message]]:
    """The first topic with events, and its first messages that have some."""
    for topic in topics:
        try:
            contents = list(islice(bag.messages(topic.name, bag.start_ns, bag.stop_ns + 1), _LOOKED_AT))
        except Exception as error:
            raise bag.refused(error) from error
        messages = [message for content in contents if (message := _read(content, topic, bag)) is not None]
        if messages:
            return topic, messages
    wanted, found = (_short(kinds) for kinds in (ARRAYS + PACKETS, sorted({topic.kind for topic in bag.topics})))
    raise InputError(
        f"expected {path} to hold messages with events ({wanted}), found {found or 'no topic'}; use another bag."
    )


def _short(kinds: Sequence[str]) -> str:
    """As ROS 1 and people write them."""
    return ", ".join(kind.replace("/msg/", "/") for kind in kinds)[:400]


def _read(content: bytes, topic: Topic, bag: Bag) -> Message | None:
    try:
        message = read_message(content, topic.kind, bag.aligned)
    except MessageError:
        return None
    return message if message.size else None


def _stretches(bag: Bag, topic: Topic, first: list[Message]) -> list[tuple[int, int]]:
    """Host time of the pieces, ns, with about CHUNK_EVENTS events each if all messages are like the first ones."""
    each = max(1, sum(message.n_events for message in first) // len(first))
    n = min(_MOST_PIECES, max(1, topic.messages * each // CHUNK_EVENTS), max(1, bag.stop_ns - bag.start_ns))
    length = bag.stop_ns + 1 - bag.start_ns
    bounds = [bag.start_ns + length * i // n for i in range(n + 1)]
    return list(pairwise(bounds))


def _others(path: Path, bag: Bag, chosen: Topic, topics: list[Topic]) -> tuple[int, tuple[str, ...]]:
    """Events of other cameras that are left out, and a note on each."""
    count, notes = 0, []
    small = path.is_file() and path.stat().st_size <= _COUNTED_BYTES
    for topic in topics:
        if topic == chosen:
            continue
        n = 0
        if small:
            contents = bag.messages(topic.name, bag.start_ns, bag.stop_ns + 1)
            n = sum(message.n_events for content in contents if (message := _read(content, topic, bag)) is not None)
        what = f"{n:,} events" if small else f"{topic.messages:,} messages"
        if n or not small:
            notes.append(f"{what} of another camera in the bag, topic {topic.name}, left out.")
        count += n
    return count, tuple(notes)


def _count_samples(bag: Bag) -> dict[str, int]:
    counts: dict[str, int] = {}
    for topic in bag.topics:
        if topic.kind in _SAMPLES:
            counts[_SAMPLES[topic.kind]] = counts.get(_SAMPLES[topic.kind], 0) + topic.messages
    return counts

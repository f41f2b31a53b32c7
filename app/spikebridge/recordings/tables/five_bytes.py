"""Events of five bytes, without any header: N-MNIST and N-Caltech101 (``.bin``), and SLAYER's ``.bs2``.

An event is x, y, then a big-endian number of 24 bits: polarity (1 = ON) and 23 bits of µs. In ``.bin`` a y of 240 is no
event, but says that 2**13 µs are to be added to all times from there on. As in ``read_dataset`` of the data sets' own
scripts (github.com/gorchard/event-Python, eventvision.py) and ``read2Dspikes`` of slayerPytorch (spikeFileIO.py), which
knows no such marks. Nothing in the file says that it is one, so its times have to.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.ordering import BLOCK, OUTSIDE, STATE_SIZE, WORDS_DTYPE
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.recordings.tables.decoding import give_some
from spikebridge.recordings.tables.sensor_size import ANY_SIZE, PLACES, choose_sensor, some_places
from spikebridge.settings import ReadSettings

FORMAT = "N-MNIST or SLAYER events"
_EVENT_BYTES = 5
_CHUNK_BYTES = CHUNK_EVENTS * _EVENT_BYTES
_LOOKED_AT = 2000
#: Slot of the state behind those of ``ordering``: µs that marks have added.
_ADDED = STATE_SIZE
_MARK, _ADDED_US = 240, 1 << 13
_NO_MARK = 256
#: Of the steps of time, so many may run back; of bytes that are something else, half of them do.
_DISORDER = 0.02


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in a file of such events; InputError where its bytes are hardly that."""
    file = RecordingFile(path)
    mark = _NO_MARK if path.suffix.lower() == ".bs2" else _MARK
    trailing = file.size % _EVENT_BYTES
    starts = range(0, file.size - trailing, _CHUNK_BYTES)
    scratch = Scratch()

    def decode(start: int, n: int, size: tuple[int, int], state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        data = scratch.of(n)[:n]
        file.read_into(data.data, start)
        return int(_decode(data, mark, size, state, out))

    def look(start: int) -> EventArray:
        n = min(_LOOKED_AT * _EVENT_BYTES, file.size - trailing - start)
        _check(path, file.read(start, n), mark)
        out, state = empty_events(n // _EVENT_BYTES), ordering.new_state(extra=1)
        words = ordering.as_words(out)
        return out[: ordering.finish(state, True, decode(start, n, ANY_SIZE, state, words), words)]

    looked = [look(starts[i]) for i in some_places(len(starts), PLACES)]
    sensor, note = choose_sensor(None, settings, looked)

    def run(start: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n = min(_CHUNK_BYTES, file.size - trailing - start)
        return decode(start, n, (sensor.width, sensor.height), state, out)

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        notes = (
            "It has no header: it was taken for events of 5 bytes by its name and its times.",
            *filter(None, (note,)),
        )
        if trailing:
            notes += (f"The file ends inside an event; its last {trailing} bytes were skipped.",)
        return replace(found, skipped_bytes=trailing, truncated=trailing > 0, notes=notes + found.notes)

    return IndexedRecording(path, FORMAT, sensor, Scan(path, starts, run, report, ordering.new_state(extra=1)))


def _check(path: Path, content: bytes, mark: int) -> None:
    """Raises InputError unless time runs forward in these events."""
    numbers = np.frombuffer(content, np.uint8).reshape(-1, _EVENT_BYTES).astype(np.int64)
    times = (numbers[:, 2] & 0x7F) << 16 | numbers[:, 3] << 8 | numbers[:, 4]
    times += _ADDED_US * np.cumsum(numbers[:, 1] == mark)
    n_back = int(np.sum(np.diff(times) < 0))
    if n_back > 1 + _DISORDER * times.size:
        raise InputError(
            f"expected {path} to hold events of 5 bytes (N-MNIST, N-Caltech101, SLAYER), as its name says, found time "
            f"running back {n_back} times in {times.size} of them; pass --sensor if these are EVT2 or EVT3 words, or "
            "check that it is the right file."
        )


@njit(cache=True, nogil=True)
def _decode(
    data: NDArray[np.uint8], mark: int, size: tuple[int, int], state: NDArray[np.int64], out: NDArray[np.void]
) -> int:
    spare = np.empty(BLOCK, WORDS_DTYPE)
    width, height = size
    added = state[_ADDED]
    n, k = 0, 0
    for at in range(0, data.size - _EVENT_BYTES + 1, _EVENT_BYTES):
        x, y, high = np.int64(data[at]), np.int64(data[at + 1]), np.int64(data[at + 2])
        if y == mark:
            added += _ADDED_US
            continue
        word = x | y << 16 | (high >> 7) << 32
        spare[k].t = added + ((high & 0x7F) << 16 | np.int64(data[at + 3]) << 8 | np.int64(data[at + 4]))
        spare[k].rest = np.int64(-OUTSIDE) if x >= width or y >= height else word
        k += 1
        if k == BLOCK:
            n, k = give_some(state, spare, k, n, out), 0
    state[_ADDED] = added
    return int(give_some(state, spare, k, n, out))

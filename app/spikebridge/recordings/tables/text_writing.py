"""Writes tables of text (CSV): ``t,x,y,p``, time in µs, polarity 0 or 1. See ``text_table``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikebridge.contracts import SourceInfo
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import ordering
from spikebridge.recordings.tables.formatting import LONGEST_EVENT, format_events
from spikebridge.recordings.tables.whole_file import WholeFile

_HEADER = "# sensor {width}x{height}{name}\n# t (us) x y p\nt,x,y,p\n"
_BLOCK = 1 << 16


def open_writer(path: Path, sensor: Sensor) -> TextWriter:
    """See ``formats.Writer``."""
    return TextWriter(path, sensor)


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """Nothing: comments before the names of the columns keep the sensor and the unit of time."""
    return ()


class TextWriter:
    """See ``formats.EventWriter``."""

    def __init__(self, path: Path, sensor: Sensor) -> None:
        self._file = WholeFile(path)
        self._text = np.empty(_BLOCK * LONGEST_EVENT, np.uint8)
        name = " ".join(sensor.name.split())
        header = _HEADER.format(width=sensor.width, height=sensor.height, name=f" {name}" if name else "")
        self._file.put(header.encode())

    def write(self, events: EventArray) -> None:
        """Appends events, one on each line."""
        words = ordering.as_words(np.ascontiguousarray(events))
        for start in range(0, words.size, _BLOCK):
            n = format_events(words[start : start + _BLOCK], self._text)
            self._file.put(self._text[:n].tobytes())

    def close(self) -> None:
        """Gives the file its name."""
        self._file.close()

    def abort(self) -> None:
        """Leaves nothing behind."""
        self._file.abort()

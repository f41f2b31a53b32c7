"""Writes AEDAT4 while it happens: the file has its own name from the first byte on, and every packet in it is whole.

Whoever is killed, or loses power, leaves a recording that only lacks its table of contents. Readers that go from packet
to packet take it as it is; dv-processing, which asks for the table, needs it repaired. What becomes of the last moments
is the caller's choice: ``write`` hands a packet to the system, where it outlives this process, and ``sync`` brings what
was written to the disk, where it outlives the power.
"""

from __future__ import annotations

import os
import struct
from array import array
from pathlib import Path

from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.files import make_folder, sync_folder
from spikebridge.recordings.aedat.aedat4_header import FIRST_LINE, TABLE_AT, header_bytes
from spikebridge.recordings.aedat.aedat4_writing import compressor, contents_table, events_packet

#: So many events go into a packet at most: 16 MB before they are compressed. Readers refuse packets of 64 MB.
_MOST_EVENTS = 1 << 20
_ENTRY_NUMBERS = 5


class LiveAedat4Writer:
    """A recording whose every packet is in the file when ``write`` returns.

    n_events : in the file. n_lost : of those that were in it and gave way to the table of contents, see ``close``.
    Raises InputError where the file exists already or cannot be written; it can be closed after that.
    """

    def __init__(self, path: Path, sensor: Sensor) -> None:
        self.path = path
        self.n_events = self.n_lost = 0
        self._compressed = compressor("LZ4")
        #: Five numbers for each packet, for hours and days: 40 bytes each.
        self._entries = array("q")
        self._end = 0
        make_folder(path.parent)
        try:
            self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except OSError as error:
            raise self._refused(error) from error
        try:
            self._append(FIRST_LINE + header_bytes(sensor, "LZ4"))
            sync_folder(path.parent)
        except (OSError, InputError) as error:
            self.remove()
            raise self._refused(error) if isinstance(error, OSError) else error from error

    def write(self, events: EventArray) -> None:
        """Appends events, sorted by time and not before those already written."""
        for begin in range(0, events.size, _MOST_EVENTS):
            part = events[begin : begin + _MOST_EVENTS]
            content = bytes(self._compressed(events_packet(part).data))
            at = self._end + 8
            self._append(struct.pack("<ii", 0, len(content)) + content)
            self._entries.extend((len(content), at, part.size, int(part["t"][0]), int(part["t"][-1])))
            self.n_events += part.size

    def sync(self) -> None:
        """Brings what was written to the disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """Writes the table of contents; where the disk is full, in the place of the last packets."""
        try:
            kept = len(self._entries) // _ENTRY_NUMBERS
            while not self._finish(kept):
                kept = self._kept_beside_table(kept)
            os.fsync(self._fd)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            os.close(self._fd)

    def remove(self) -> None:
        """Instead of ``close``: leaves nothing behind, for a recording in which there is nothing."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)

    def _finish(self, kept: int) -> bool:
        """Ends the file behind its first ``kept`` packets; False where there is no room for their table."""
        end = self._end_of(kept)
        table = self._table(kept)
        os.truncate(self._fd, end)
        try:
            self._put(table, end)
            self._put(struct.pack("<q", end), TABLE_AT)
        except OSError:
            os.truncate(self._fd, end)
            if not kept:
                raise
            return False
        lost = sum(self._entries[kept * _ENTRY_NUMBERS + 2 :: _ENTRY_NUMBERS])
        self.n_lost += lost
        self.n_events -= lost
        return True

    def _kept_beside_table(self, n: int) -> int:
        """How many of ``n`` packets stay where the rest makes room for the table of all of them."""
        room = len(self._table(n))
        kept = n - 1
        while kept and self._end_of(n) - self._end_of(kept) < room:
            kept -= 1
        return kept

    def _table(self, n: int) -> bytes:
        numbers = self._entries[: n * _ENTRY_NUMBERS].tolist()
        columns = [numbers[field::_ENTRY_NUMBERS] for field in range(_ENTRY_NUMBERS)]
        return bytes(self._compressed(contents_table(list(zip(*columns, strict=True)))))

    def _end_of(self, n: int) -> int:
        """Byte behind the first ``n`` packets."""
        if n * _ENTRY_NUMBERS == len(self._entries):
            return self._end
        return self._entries[n * _ENTRY_NUMBERS + 1] - 8

    def _append(self, content: bytes) -> None:
        """All of it, or nothing that counts."""
        try:
            self._put(content, self._end)
        except OSError as error:
            raise self._refused(error) from error
        self._end += len(content)

    def _put(self, content: bytes, at: int) -> None:
        # Not through a buffer: a disk that is full, or a process that is killed, would leave it in an unknown state.
        done = 0
        while done < len(content):
            done += os.pwrite(self._fd, memoryview(content)[done:], at + done)

    def _refused(self, error: OSError) -> InputError:
        return InputError(
            f"expected to write the recording {self.path}, found: {error.strerror}; free some space or take another "
            "place."
        )

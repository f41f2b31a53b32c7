"""The picture of the events: when and with which polarity each pixel saw its last one, in memory of two processes; and
under it the newest frame of a camera that takes some.

The chain's process absorbs events, the window's process shades; neither waits for the other. A pixel that is read while
it is written is either as it was or as it will be: each of its values is written at once.
"""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.contracts import Frame
from spikebridge.events import EventArray, Sensor

#: Long ago, and far enough from the smallest int64 that differences never wrap.
NEVER = np.int64(-(2**62))
#: Bytes of the two times.
_HEAD = 16


@njit(cache=True, nogil=True)
def _absorb(words: NDArray[np.int64], last_us: NDArray[np.int64], off: NDArray[np.uint8]) -> None:
    height, width = last_us.shape
    for i in range(words.shape[0]):
        word = words[i, 1]
        x, y = word & 0xFFFF, word >> 16 & 0xFFFF
        if x < width and y < height:
            last_us[y, x] = words[i, 0]
            off[y, x] = 1 if word >> 32 & 0xFF == 0 else 0


class Picture:
    """Last events of a sensor's pixels.

    last_us : (H, W) int64, camera clock, ``NEVER`` before the first event. off : (H, W) uint8, 1 where it was OFF.
    frame : (H, W) uint8 grey, the newest frame.
    memory : of ``size_of(sensor)`` bytes; None for some of this process alone.
    """

    def __init__(self, sensor: Sensor, memory: mmap.mmap | None = None) -> None:
        self.sensor = sensor
        n = sensor.width * sensor.height
        shape = (sensor.height, sensor.width)
        body = bytearray(size_of(sensor)) if memory is None else memory
        self._times_us: NDArray[np.int64] = np.frombuffer(body, np.int64, 2)
        self.last_us: NDArray[np.int64] = np.frombuffer(body, np.int64, n, _HEAD).reshape(shape)
        self.off: NDArray[np.uint8] = np.frombuffer(body, np.uint8, n, _HEAD + 8 * n).reshape(shape)
        self.frame: NDArray[np.uint8] = np.frombuffer(body, np.uint8, n, _HEAD + 9 * n).reshape(shape)
        if memory is None:
            self.clear()

    @classmethod
    def create(cls, sensor: Sensor) -> tuple[Picture, int]:
        """In memory that another process may map by its descriptor, which the caller closes once it was sent. The
        memory is gone when the last process that maps it is."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("spikebridge-picture")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, size_of(sensor))
        picture = cls.attach(descriptor, sensor)
        picture.clear()
        return picture, descriptor

    @classmethod
    def attach(cls, descriptor: int, sensor: Sensor) -> Picture:
        """The picture behind the descriptor of another process; the descriptor stays the caller's."""
        return cls(sensor, mmap.mmap(descriptor, size_of(sensor)))

    @property
    def now_us(self) -> int:
        """Camera clock up to which events were absorbed."""
        return int(self._times_us[0])

    @property
    def frame_us(self) -> int | None:
        """Camera clock of the frame; None where there is none."""
        t_us = int(self._times_us[1])
        return None if t_us == NEVER else t_us

    def clear(self) -> None:
        self.last_us.fill(NEVER)
        self._times_us[1] = NEVER

    def put_frame(self, frame: Frame | None) -> None:
        """Under the events from now on; None for no frame."""
        if frame is not None and frame.t_us != self.frame_us:
            self.frame[:] = frame.pixels
        self._times_us[1] = NEVER if frame is None else frame.t_us

    def absorb(self, events: EventArray, t_stop_us: int) -> None:
        """Events of one packet; time that runs backwards (a seek) starts an empty picture."""
        if t_stop_us < self.now_us:
            self.clear()
        self._times_us[0] = t_stop_us
        if events.size:
            words = np.ascontiguousarray(events).view(np.int64).reshape(events.size, -1)
            words.flags.writeable = False
            _absorb(words, self.last_us, self.off)


def size_of(sensor: Sensor) -> int:
    """Bytes of a picture: its two times, and ten for each pixel."""
    return _HEAD + 10 * sensor.width * sensor.height

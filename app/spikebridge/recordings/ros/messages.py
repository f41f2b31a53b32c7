"""Messages with events, read from their bytes: as ROS 1 packs them, or as CDR aligns them in ROS 2.

``EventArray`` (dvs_msgs, prophesee_event_msgs): header, u32 height, u32 width, then events of u16 x, u16 y, time as
u32 seconds and u32 nanoseconds, and a byte of polarity. ``EventPacket`` (event_camera_msgs; before that
event_array_msgs/EventArray): header, height, width, u64 seq, u64 time_base, text encoding, u8 is_bigendian, bytes.
Encodings: github.com/ros-event-camera/event_camera_msgs, "Encoding schemes".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.ordering import BLOCK, DAMAGED, OUTSIDE, WORDS_DTYPE, block_for, give_block
from spikebridge.recordings.prophesee.decoding import decode_evt3

Encoding: TypeAlias = Literal["array", "evt3", "mono"]

ARRAYS = ("dvs_msgs/msg/EventArray", "prophesee_event_msgs/msg/EventArray")
PACKETS = ("event_camera_msgs/msg/EventPacket", "event_array_msgs/msg/EventArray")
#: No sensor has more pixels in a row or column.
_LARGEST_PX = 16384
_ENCODINGS: dict[str, Encoding] = {"evt3": "evt3", "mono": "mono"}
#: Bytes of an event: packed in ROS 1, and of the 64-bit words of the encoding "mono".
_PACKED_BYTES, _MONO_BYTES = 13, 8
#: Before CDR begins, and is aligned from: u16 kind, u16 options.
_CDR_HEAD = 4


class MessageError(Exception):
    """Bytes that are not the message they should be."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is in a message before its events, and where they are.

    content : its bytes. at, size : of the events; size is in events for ``array``, in bytes else. base_us : added to
    the times of ``mono``.
    """

    content: NDArray[np.uint8]
    aligned: bool
    width: int
    height: int
    encoding: Encoding
    at: int
    size: int
    base_us: int = 0

    @property
    def n_events(self) -> int:
        """How many there are; of EVT3 about."""
        return self.size if self.encoding == "array" else self.size // (_MONO_BYTES if self.encoding == "mono" else 3)


class _Cursor:
    def __init__(self, content: bytes, aligned: bool) -> None:
        if aligned and (len(content) < _CDR_HEAD or not content[1] & 1):
            raise MessageError("expected little-endian CDR")
        self._content, self._aligned = content, aligned
        self.at = _CDR_HEAD if aligned else 0

    def number(self, code: str, n_bytes: int) -> int:
        if self._aligned:
            self.at += (_CDR_HEAD - self.at) % n_bytes
        try:
            (value,) = struct.unpack_from(f"<{code}", self._content, self.at)
        except struct.error as error:
            raise MessageError(str(error)) from error
        self.at += n_bytes
        return int(value)

    def text(self) -> str:
        n = self.number("I", 4)
        text = self._content[self.at : self.at + n]
        self.at += n
        return text.rstrip(b"\0").decode("ascii", "replace")


def read_message(content: bytes, kind: str, aligned: bool) -> Message:
    """The message without its events; raises MessageError for what is none."""
    cursor = _Cursor(content, aligned)
    if not aligned:
        cursor.number("I", 4)
    cursor.number("I", 4)
    cursor.number("I", 4)
    cursor.text()
    height, width = cursor.number("I", 4), cursor.number("I", 4)
    if not (0 < width <= _LARGEST_PX and 0 < height <= _LARGEST_PX):
        raise MessageError(f"expected the size of a sensor, found {width}x{height}")
    octets = np.frombuffer(content, np.uint8)
    if kind in ARRAYS:
        n = cursor.number("I", 4)
        if n * _PACKED_BYTES > octets.size - cursor.at:
            raise MessageError(f"expected {n} events, found {octets.size - cursor.at} bytes")
        return Message(octets, aligned, width, height, "array", cursor.at, n)
    cursor.number("Q", 8)
    base_us = cursor.number("Q", 8) // 1000
    encoding = cursor.text()
    big = cursor.number("B", 1)
    size = cursor.number("I", 4)
    if encoding not in _ENCODINGS or big:
        raise MessageError(f"expected the encoding evt3 or mono, little-endian, found '{encoding[:20]}'")
    if size > octets.size - cursor.at:
        raise MessageError(f"expected {size} bytes of events, found {octets.size - cursor.at}")
    return Message(octets, aligned, width, height, _ENCODINGS[encoding], cursor.at, size, base_us)


def decode_message(
    message: Message, width: int, height: int, state: NDArray[np.int64], n: int, out: NDArray[np.void]
) -> int:
    """The events of a message after ``n`` others of the same piece; returns how many there are then.

    state : of ``prophesee.word_state``, which EVT3 goes on from.
    """
    content, at, size = message.content, message.at, message.size
    if message.encoding == "array":
        return int(_decode_array(content, at, size, message.aligned, width, height, state, n, out))
    payload = content[at : at + size]
    if message.encoding == "evt3":
        words = payload[: size - size % 2].copy().view(np.uint16)
        return int(decode_evt3(words, width, height, state, n, out))
    words64 = payload[: size - size % _MONO_BYTES].copy().view(np.int64)
    return int(_decode_mono(words64, message.base_us, width, height, state, n, out))


@njit(cache=True, nogil=True, inline="always")
def _u16(data: NDArray[np.uint8], at: int) -> np.int64:
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(cache=True, nogil=True, inline="always")
def _u32(data: NDArray[np.uint8], at: int) -> np.int64:
    return _u16(data, at) | _u16(data, at + 2) << 16


@njit(cache=True, nogil=True)
def _decode_array(
    data: NDArray[np.uint8],
    at: int,
    count: int,
    aligned: bool,
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> int:
    spare = np.empty(BLOCK, WORDS_DTYPE)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        block = block_for(state, n, size, out, spare)
        for i in range(size):
            if aligned:
                at += at & 1
            time = at + 4
            if aligned:
                time += -time & 3
            if time + 9 > data.size:
                state[DAMAGED] += 1
                return int(give_block(state, block[:i], False, n, out)) if i else n
            x, y = _u16(data, at), _u16(data, at + 2)
            word = x | y << 16 | np.int64(data[time + 8] != 0) << 32
            block[i].t = _u32(data, time) * 1_000_000 + _u32(data, time + 4) // 1000
            block[i].rest = np.int64(-OUTSIDE) if x >= width or y >= height else word
            at = time + 9
        n = int(give_block(state, block, False, n, out))
    return n


@njit(cache=True, nogil=True)
def _decode_mono(
    words: NDArray[np.int64],
    base_us: int,
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> int:
    """Bits 0-31 are nanoseconds after the base, 32-47 x, 48-62 y, 63 the polarity."""
    spare = np.empty(BLOCK, WORDS_DTYPE)
    for start in range(0, words.size, BLOCK):
        part = words[start : start + BLOCK]
        block = block_for(state, n, part.size, out, spare)
        for i in range(part.size):
            x, y = part[i] >> 32 & 0xFFFF, part[i] >> 48 & 0x7FFF
            block[i].t = base_us + (part[i] & 0xFFFFFFFF) // 1000
            word = x | y << 16 | np.int64(part[i] < 0) << 32
            block[i].rest = np.int64(-OUTSIDE) if x >= width or y >= height else word
        n = int(give_block(state, block, False, n, out))
    return n

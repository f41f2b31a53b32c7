"""How large the sensor is: by the word of a file, or by its events."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from spikebridge.recordings.hdf5.file import Attribute
from spikebridge.recordings.hdf5.rows import Column, Values

#: Of cameras that recordings come from, by area: DVS128, DAVIS240, ATIS, DVXplorer Lite and GenX320, DAVIS346, Gen3,
#: Gen3.1 and DVXplorer, Gen4.
_KNOWN = ((128, 128), (240, 180), (304, 240), (320, 240), (320, 320), (346, 260), (480, 360), (640, 480), (1280, 720))
#: Pieces that are looked at for the largest coordinates, spread over the recording.
_LOOKED_AT = 64
_MOST = 0xFFFF


@dataclass(frozen=True, slots=True)
class Size:
    """Of a sensor, px."""

    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """Least and largest coordinates of what was looked at, px; 65535 and -1 where there were none."""

    x: tuple[int, int]
    y: tuple[int, int]
    looked_at: str


def told_by(attributes: Mapping[str, Attribute]) -> Size | None:
    """The size in the attributes of a file: ``geometry`` "WxH" (Prophesee), width and height, or a resolution.

    A pair of numbers is taken lying: event_voxel_builder's files have the height first, others the width.
    """
    name = attributes.get("sensor_name") or attributes.get("sensor") or ""
    name = name if isinstance(name, str) else ""
    geometry = re.fullmatch(r"\s*(\d{1,5})\s*[xX]\s*(\d{1,5})\s*", str(attributes.get("geometry", "")))
    if geometry:
        return _checked(int(geometry[1]), int(geometry[2]), name)
    width, height = attributes.get("width"), attributes.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return _checked(width, height, name)
    for key in ("sensor_resolution", "sensor_size", "resolution"):
        pair = attributes.get(key)
        if isinstance(pair, tuple) and len(pair) == 2:
            return _checked(max(pair), min(pair), name)
    return None


def extent_of(x: Column, y: Column, pieces: Sequence[tuple[int, int]]) -> Extent:
    """From as many pieces as take no time, spread over the recording."""
    step = max(1, -(-len(pieces) // _LOOKED_AT))
    looked_at = [*pieces[::step], *pieces[-1:]] if step > 1 else list(pieces)
    said = f"{len(looked_at)} of {len(pieces)} parts" if step > 1 else "all parts"
    return Extent(_ends(x, looked_at), _ends(y, looked_at), said)


def _ends(column: Column, pieces: Sequence[tuple[int, int]]) -> tuple[int, int]:
    least, most = _MOST, -1
    for start, stop in pieces:
        values = as_pixels(column.read(start, stop))
        values = values[values < _MOST]
        if values.size:
            least, most = min(least, int(values.min())), max(most, int(values.max()))
    return least, most


def told_from_events(extent: Extent, first_px: int) -> tuple[Size, tuple[str, ...]]:
    """The smallest known sensor that holds the events, or a size that just holds them; and a note that says so.

    first_px : what the coordinates count from.
    """
    (least_x, most_x), (least_y, most_y) = extent.x, extent.y
    if most_x < 0 or most_y < 0:
        return Size(1, 1), ()
    last_x, last_y = most_x - first_px, most_y - first_px
    size = next((Size(w, h) for w, h in _KNOWN if last_x < w and last_y < h), Size(last_x + 1, last_y + 1))
    notes: tuple[str, ...] = (
        f"The file names no sensor: {size.width}x{size.height} px hold the events, whose largest x and y in "
        f"{extent.looked_at} are {last_x} and {last_y}; --sensor says another.",
    )
    if least_x == least_y == 1 and not first_px:
        notes += ("The smallest x and y are 1: if the program that wrote them counts from 1, all lie one px too far.",)
    return size, notes


@np.errstate(all="ignore")  # what is no number is told from the result
def as_pixels(values: Values, first_px: int = 0) -> NDArray[np.uint16]:
    """(N,) coordinates as 16 bits from 0 on, fractions of a px cut off; what they cannot hold is outside of any sensor.

    first_px : what they count from.
    """
    if first_px:
        values = values.astype(np.float64) - first_px
    if values.dtype == np.uint16:
        return np.ascontiguousarray(values, np.uint16)
    numbers = cast("NDArray[np.float64]", values)  # of any kind: numpy's types have no word for them all
    if values.dtype.kind == "f":
        inside = (numbers >= 0) & (numbers < _MOST)
        return np.where(inside, numbers, _MOST).astype(np.uint16)
    if values.dtype.itemsize == 1 and values.dtype.kind in "ub":
        return values.astype(np.uint16)
    return np.where((numbers >= 0) & (numbers <= _MOST), values, _MOST).astype(np.uint16)


def _checked(width: int, height: int, name: str) -> Size | None:
    return Size(width, height, name) if 0 < width <= _MOST and 0 < height <= _MOST else None

"""Events as every part of the program sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: One event: ``t`` µs on the camera's clock, ``x`` and ``y`` px with the origin top left, ``polarity`` 1 = ON, 0 = OFF.
#: Aligned to 16 bytes, so that compiled loops read it without unaligned loads.
EVENT_DTYPE = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("polarity", "u1")], align=True)

EventArray = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Sensor:
    """Size in px and name of the sensor that made the events."""

    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class EventPacket:
    """All events of one time step ``[t_start_us, t_stop_us)``; empty when nothing moved.

    events : (N,) EVENT_DTYPE, sorted by ``t``, read-only.
    t_start_us, t_stop_us : camera clock, µs, half open.
    sequence : counts packets of one run from 0; a hole means that packets were dropped in between.
    received_ns : host monotonic clock (``time.monotonic_ns``) when the step was complete and given out.
    gap : True when time before this packet is missing (a drop, a seek, a hole in the file): network state resets.
    due_ns : host monotonic clock when the time of the step was over; until ``received_ns`` the source waited for it to
    be complete, or was late. None where the source keeps no pace: then nothing in front of the chain is latency.
    """

    events: EventArray
    t_start_us: int
    t_stop_us: int
    sequence: int
    received_ns: int
    gap: bool = False
    due_ns: int | None = None


def empty_events(n: int = 0) -> EventArray:
    """A zeroed (n,) array of EVENT_DTYPE."""
    return np.zeros(n, EVENT_DTYPE)


def make_events(t: object, x: object, y: object, polarity: object) -> EventArray:
    """(N,) EVENT_DTYPE from four sequences of equal length; ``t`` in µs, ``polarity`` 1 = ON."""
    columns = [np.asarray(column) for column in (t, x, y, polarity)]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise ValueError(f"expected four 1-D columns of equal length, got shapes {[c.shape for c in columns]}")
    events = np.empty(columns[0].size, EVENT_DTYPE)
    for field, column in zip(("t", "x", "y", "polarity"), columns, strict=True):
        events[field] = column
    return events


def join_events(parts: Sequence[EventArray]) -> EventArray:
    """A new (N,) EVENT_DTYPE of all parts in order.

    As words of 8 bytes: numpy joins records field by field, which takes ten times as long.
    """
    words = [np.ascontiguousarray(part, EVENT_DTYPE).view(np.int64) for part in parts]
    joined: EventArray = np.concatenate([np.zeros(0, np.int64), *words]).view(EVENT_DTYPE)
    return joined

"""The size of the sensor of a table: what it says, what the user says, or what its events ask for."""

from __future__ import annotations

import numpy as np

from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.sensors import smallest_sensor
from spikebridge.settings import ReadSettings

#: Places of a file at which its events are looked at; damage at one of them shall not make the sensor.
PLACES = 16
_OUTLIERS = 0.001
#: Room for all coordinates there are.
ANY_SIZE = (1 << 16, 1 << 16)


def choose_sensor(said: Sensor | None, settings: ReadSettings, seen: list[EventArray]) -> tuple[Sensor, str]:
    """The sensor, and a note where it is a guess. seen : events from several places, to be asked last."""
    if said is not None:
        return said, ""
    if settings.size is not None:
        return Sensor(*settings.size), ""
    n = sum(part.size for part in seen)
    width, height = (
        int(np.sort(np.concatenate([part[name] for part in seen]))[n - 1 - int(n * _OUTLIERS)]) + 1 if n else 1
        for name in ("x", "y")
    )
    sensor = Sensor(*smallest_sensor(width, height))
    return sensor, (
        f"It does not say the size of the sensor; {sensor.width}x{sensor.height} px hold the events that were looked "
        "at (--sensor says it)."
    )


def some_places(n: int, most: int) -> range:
    """About ``most`` of ``n`` pieces, the first one among them."""
    return range(0, n, max(1, -(-n // most)))

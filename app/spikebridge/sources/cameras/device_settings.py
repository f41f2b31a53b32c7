"""Settings that a device does not have, or not so: named with what it does have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from spikebridge.errors import UsageError
from spikebridge.events import Sensor

#: Lowest and highest value; None where the device does not say.
Range: TypeAlias = tuple[int, int] | None


def check_biases(title: str, asked: Iterable[tuple[str, int]], known: Mapping[str, Range]) -> None:
    """Raises UsageError for a bias that the device does not have, or a value outside its range."""
    for name, value in asked:
        if name not in known:
            if not known:
                raise UsageError(f"expected a camera with biases for --bias {name}, found that {title} has none here.")
            raise UsageError(f"expected a bias of {title} among {', '.join(known)}, found '{name}'.")
        limits = known[name]
        if limits is not None and not limits[0] <= value <= limits[1]:
            raise UsageError(f"expected {name} of {title} from {limits[0]} to {limits[1]}, found {value}.")


def check_rate(title: str, rate_hz: int, limits: Range) -> None:
    """Raises UsageError for an event rate that the device can't be limited to."""
    if limits is not None and not limits[0] <= rate_hz <= limits[1]:
        raise UsageError(
            f"expected --erc-rate of {title} from {limits[0]:,} to {limits[1]:,} events per second, found {rate_hz:,}."
        )


def check_region(sensor: Sensor, region: tuple[int, int, int, int]) -> None:
    """Raises UsageError for a region that is not on the sensor."""
    x, y, width, height = region
    if x + width > sensor.width or y + height > sensor.height:
        raise UsageError(
            f"expected --roi within the {sensor.width}×{sensor.height} px of the sensor, found "
            f"{x},{y},{width},{height}."
        )


def lacks(title: str, what: str, option: str, instead: str = "") -> UsageError:
    """The device, or the driver that opens it, has no such thing."""
    return UsageError(
        f"expected a camera with {what} for {option}, found that {title} has none here; leave it out{instead}."
    )


def shown(name: str, value: object, limits: Range = None) -> str:
    """A setting as the device gives it back."""
    return f"{name} {value}" + (f" ({limits[0]} … {limits[1]})" if limits else "")

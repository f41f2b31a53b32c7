"""Sizes of sensors, for files that do not say theirs."""

from __future__ import annotations

#: width, height, px: DVS128, DAVIS208, DAVIS240, ATIS, DAVIS346, Gen3.1 VGA and DVXplorer, Gen4.1 HD, and what made-up
#: or converted recordings have.
_SIZES = (
    (34, 34), (128, 128), (208, 192), (240, 180), (304, 240), (320, 240), (320, 320), (346, 260), (480, 320),
    (640, 480), (1280, 720), (1280, 800),
)  # fmt: skip


def smallest_sensor(width: int, height: int) -> tuple[int, int]:
    """The smallest known size that holds these many columns and rows; they themselves where none does."""
    return min(
        ((w, h) for w, h in _SIZES if width <= w and height <= h),
        key=lambda size: size[0] * size[1],
        default=(width, height),
    )


def fits_a_known_sensor(width: int, height: int) -> bool:
    """Whether a known size holds these many columns and rows."""
    return any(width <= w and height <= h for w, h in _SIZES)

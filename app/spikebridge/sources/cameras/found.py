"""What is known of a camera before it is open, and how a driver says that it can't be."""

from __future__ import annotations

from dataclasses import dataclass

from spikebridge.errors import MissingError


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that is plugged in, as its driver sees it.

    serial : number as the driver gives it, empty where it could not be read. connection : in words, e.g. ``USB 3.0
    SuperSpeed (5.0 Gb/s)``; empty where it is not known. problem : why it can't be opened, in the driver's words; empty
    where nothing is known against it.
    """

    model: str
    serial: str
    connection: str = ""
    problem: str = ""


class DriverError(Exception):
    """The driver could not open a camera that is there; ``str`` gives its words. Never shown as it is."""


class NoSuchCamera(DriverError):  # noqa: N818 - not a fault: another driver may know it
    """None is plugged in, or none that this driver knows."""


class NoUsb(NoSuchCamera):
    """The driver could not look at the USB at all."""


class NoCameraError(MissingError):
    """No such camera is plugged in, in a sentence; it may yet be."""

"""Why a camera can't be opened, in one sentence with the command that helps.

Drivers say it in words of libusb; what the system shows of the USB tells the rest.
"""

from __future__ import annotations

from pathlib import Path

from spikebridge.errors import MissingError
from spikebridge.sources.cameras.access import UDEV_FIX, UsbDevice, usb_devices
from spikebridge.sources.cameras.families import Family
from spikebridge.sources.cameras.found import NoCameraError

_IN_USE = ("busy", "already used", "already in use", "in use by another")
_REFUSED = ("access denied", "permission", "libusb_error_access", "unable to open device")
_FIRMWARE = ("firmware", "logic version", "logic patch")


def no_usb(words: str) -> MissingError:
    """The driver could not look at the USB at all."""
    return MissingError(
        f"expected a USB to look for cameras on, found none ({words}); in a container, start it with "
        "'--device=/dev/bus/usb', in a virtual machine pass the camera through to it."
    )


def absent(family: Family, serial: str | None, root: Path = Path("/")) -> MissingError:
    """No driver found such a camera; perhaps the system sees one."""
    wanted = f"a camera of {family.title}" + (f" with serial number {serial}" if serial else "")
    drivers = " or ".join(way.title for way in family.installed)
    if not drivers:
        ways = "; or ".join(way.install for way in family.ways)
        return MissingError(f"expected a driver for cameras of {family.title}, found none; install one: {ways}.")
    seen = [device for device in usb_devices(root) or () if device.is_one_of(family.usb)]
    closed = next((device for device in seen if not device.usable), None)
    if closed is not None:
        return _no_access(wanted, closed)
    if seen and serial is None:
        ids = f"{seen[0].vendor}:{seen[0].product}"
        return NoCameraError(
            f"expected {wanted} that {drivers} can open, found one that it does not know (USB {ids}); see 'spikebridge "
            "doctor' for other drivers."
        )
    return NoCameraError(
        f"expected {wanted}, found none; plug it in, and see 'spikebridge doctor' for its driver and the access to it."
    )


def refused(family: Family, serial: str | None, words: str, root: Path = Path("/")) -> MissingError:
    """A camera is there and its driver could not open it. words : the driver's."""
    wanted = f"the camera of {family.title}" + (f" with serial number {serial}" if serial else "") + " to open"
    said = " ".join(words.splitlines()[0].split()) if words else "no reason given"
    lower = words.lower()
    seen = [device for device in usb_devices(root) or () if device.is_one_of(family.usb)]
    if any(mark in lower for mark in _FIRMWARE):
        return MissingError(
            f"expected {wanted}, found that its firmware does not fit the driver ({_firmware_words(words)}); update it "
            f"with {family.firmware}."
        )
    closed = next((device for device in seen if not device.usable), None)
    # Some drivers give one sentence for both; what the system lets this user do tells them apart.
    if closed is not None or (not seen and any(mark in lower for mark in _REFUSED)):
        return _no_access(wanted, closed)
    if any(mark in lower for mark in _IN_USE):
        nodes = " ".join(str(device.node) for device in seen) or "/dev/bus/usb/*/*"
        return MissingError(
            f"expected {wanted}, found it in use by another program; end that one, which 'fuser -v {nodes}' names."
        )
    return MissingError(f"expected {wanted}, found: {said}; unplug it, plug it in again, and see 'spikebridge doctor'.")


def slow_port(family: Family, serial: str, root: Path = Path("/")) -> str:
    """A note on a camera that is plugged into USB 2; empty where none is, or none can be told."""
    seen = [device for device in usb_devices(root) or () if device.is_one_of(family.usb)]
    ours = [device for device in seen if device.serial and device.serial.lower() == serial.lower()] or seen
    return usb2_note(ours[0].mbps) if len(ours) == 1 and ours[0].is_too_slow(family.usb) else ""


def usb2_note(mbps: float) -> str:
    """What a slow connection means."""
    return (
        f"the camera is connected by USB 2 ({mbps:g} Mb/s) and loses events in busy scenes; plug it into a USB 3 port, "
        "with a cable for USB 3."
    )


def _no_access(wanted: str, device: UsbDevice | None) -> MissingError:
    what = str(device.node) if device is not None else "it"
    return MissingError(f"expected {wanted}, found that this user may not open {what}; run '{UDEV_FIX}'.")


def _firmware_words(words: str) -> str:
    line = next(line for line in words.splitlines() if any(mark in line.lower() for mark in _FIRMWARE))
    return " ".join(line.split()).split(" Please ")[0].rstrip(".")

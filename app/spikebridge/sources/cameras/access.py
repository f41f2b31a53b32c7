"""Cameras on the USB as the system sees them, whatever drivers are installed: who is there, how fast, and who may."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_UDEV_FOLDERS = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d", "run/udev/rules.d")
#: Gives users access; what is plugged in is asked to be looked at anew.
UDEV_FIX = (
    "spikebridge doctor --udev-rules | sudo tee /etc/udev/rules.d/70-spikebridge-cameras.rules && "
    "sudo udevadm control --reload-rules && sudo udevadm trigger"
)
#: Mb/s of USB 3.0; what is below is USB 2 or slower.
_USB3_MBPS = 5000.0


@dataclass(frozen=True, slots=True)
class UsbId:
    """Vendor and products of cameras, in hexadecimal digits as in udev rules; products may be a pattern.

    slow : products that were made for USB 2.
    """

    vendor: str
    products: str
    slow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device on the USB. mbps : of its connection. node : the file that a driver opens. usable : by this user."""

    vendor: str
    product: str
    serial: str
    mbps: float
    node: Path
    usable: bool

    def is_one_of(self, ids: Iterable[UsbId]) -> bool:
        return self._id(ids) is not None

    def is_too_slow(self, ids: Iterable[UsbId]) -> bool:
        """A camera made for USB 3 that is plugged into USB 2."""
        found = self._id(ids)
        return found is not None and self.mbps < _USB3_MBPS and self.product not in found.slow

    def _id(self, ids: Iterable[UsbId]) -> UsbId | None:
        return next((i for i in ids if i.vendor == self.vendor and fnmatchcase(self.product, i.products)), None)


def usb_devices(root: Path = Path("/")) -> list[UsbDevice] | None:
    """All that is plugged in; None where the system shows no USB at all, as in a container. Linux only.

    Files as in the kernel's documentation of sysfs-bus-usb. root : where /sys and /dev are found.
    """
    folder = root / "sys/bus/usb/devices"
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return None
    found = [_device(entry, root) for entry in entries]
    return [device for device in found if device is not None]


def _device(entry: Path, root: Path) -> UsbDevice | None:
    try:
        bus, address = int(_read(entry / "busnum")), int(_read(entry / "devnum"))
        vendor, product = _read(entry / "idVendor").lower(), _read(entry / "idProduct").lower()
        mbps = float(_read(entry / "speed") or 0)
    except (OSError, ValueError):
        return None  # an interface, or just unplugged
    try:
        serial = _read(entry / "serial")
    except OSError:
        serial = ""
    node = root / f"dev/bus/usb/{bus:03}/{address:03}"
    return UsbDevice(vendor, product, serial, mbps, node, os.access(node, os.R_OK | os.W_OK))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


def installed_rules(root: Path = Path("/")) -> str:
    """All udev rules of this system that can be read, in small letters."""
    return "\n".join(_rules(root))


def _rules(root: Path) -> Iterator[str]:
    for folder in _UDEV_FOLDERS:
        for path in sorted((root / folder).glob("*.rules")):
            if os.access(path, os.R_OK):
                yield path.read_text(encoding="utf-8", errors="replace").lower()


def udev_rule(usb: UsbId) -> str:
    """Lets the user who sits at the machine, and members of plugdev, open these cameras."""
    return (
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{usb.vendor}", ATTR{{idProduct}}=="{usb.products}", MODE="0660", '
        'GROUP="plugdev", TAG+="uaccess"'
    )

"""The table of cameras: how each family is found, opened, installed and made accessible. A new family is a row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import util
from typing import Protocol

from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras.access import UsbId, udev_rule
from spikebridge.sources.cameras.found import FoundCamera
from spikebridge.sources.live import Camera


class Driver(Protocol):
    """What opens the cameras of a family. Making one imports no SDK; its methods do."""

    def discover(self) -> list[FoundCamera]:
        """Every camera that is plugged in. Raises MissingError where the driver can't look at all."""
        ...

    def open_camera(self, serial: str | None, settings: CameraSettings) -> Camera:
        """The one with that serial number, or the first. Raises NoCameraError where there is none, another MissingError
        where it can't be opened, and UsageError for settings that the device does not have."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """One SDK that opens cameras of a family.

    sdk : the module that has to be there. install : brings it. opens : which cameras, for people.
    """

    title: str
    sdk: str
    install: str
    opens: str
    load: Callable[[], Driver]

    @property
    def is_installed(self) -> bool:
        """Whether the SDK is there; it is not imported."""
        return util.find_spec(self.sdk) is not None


@dataclass(frozen=True, slots=True)
class Family:
    """Cameras of one maker.

    key : in ``camera:<key>``. ways : the first that is installed and knows the camera opens it. usb : what users may
    open. firmware : where newer firmware comes from.
    """

    key: str
    title: str
    ways: tuple[Way, ...]
    usb: tuple[UsbId, ...]
    firmware: str

    @property
    def installed(self) -> tuple[Way, ...]:
        """Ways whose SDK is there."""
        return tuple(way for way in self.ways if way.is_installed)


def _dv_processing() -> Driver:
    from spikebridge.sources.cameras.inivation import DvDriver

    return DvDriver()


def _metavision() -> Driver:
    from spikebridge.sources.cameras.metavision import MetavisionDriver

    return MetavisionDriver()


def _neuromorphic_inivation() -> Driver:
    from spikebridge.sources.cameras.neuromorphic import NeuromorphicDriver

    return NeuromorphicDriver("inivation")


def _neuromorphic_prophesee() -> Driver:
    from spikebridge.sources.cameras.neuromorphic import NeuromorphicDriver

    return NeuromorphicDriver("prophesee")


_NEUROMORPHIC = ("neuromorphic-drivers", "neuromorphic_drivers", "pip install neuromorphic-drivers")

FAMILIES = (
    Family(
        "prophesee",
        "Prophesee",
        (
            Way(
                "Metavision SDK",
                "metavision_hal",
                "the Metavision SDK of docs.prophesee.ai, or OpenEB built from github.com/prophesee-ai/openeb; this "
                "Python finds its modules with PYTHONPATH=/usr/lib/python3/dist-packages",
                "all cameras of Prophesee and its partners",
                _metavision,
            ),
            Way(*_NEUROMORPHIC, "EVK4, EVK3 HD and CenturyArks VGA", _neuromorphic_prophesee),
        ),
        # hal_psee_plugins/src/plugin/psee_universal.cpp of OpenEB 5.1.1; CenturyArks as in neuromorphic-drivers 0.18.
        (
            UsbId("04b4", "00f[4-5]"),
            UsbId("03fd", "5832"),
            UsbId("1fc9", "5838"),
            UsbId("31f7", "000[2-4]"),
        ),
        "the firmware updater of support.prophesee.ai",
    ),
    Family(
        "inivation",
        "iniVation",
        (
            Way("dv-processing", "dv_processing", "pip install dv-processing", "all of iniVation's", _dv_processing),
            Way(*_NEUROMORPHIC, "DVXplorer and DAVIS346", _neuromorphic_inivation),
        ),
        # DVS128 and the first DAVIS (FX2) were made for USB 2; libcaer's devices.
        (UsbId("152a", "84[0-1]?", slow=("8400", "841b")),),
        "Flashy, see docs.inivation.com/hardware/hardware-advanced-usage/firmware-update.html",
    ),
)


def udev_rules() -> str:
    """What lets the user who sits at the machine, and members of plugdev, open the cameras."""
    lines = ["# Event cameras: for who sits at the machine (uaccess) and for members of plugdev."]
    for family in FAMILIES:
        lines += ["", f"# {family.title}", *map(udev_rule, family.usb)]
    return "\n".join([*lines, ""])

"""The families of cameras: how each is found, opened and made accessible. A new family is a row here and its driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import util
from typing import Protocol

from spikebridge.contracts import Source
from spikebridge.errors import MissingError, UsageError


class Driver(Protocol):
    """What the module of a family offers; importing it imports no SDK."""

    def discover(self) -> list[tuple[str, str]]:
        """(model, serial number) of every camera that is plugged in."""
        ...

    def open_camera(self, serial: str | None) -> Source:
        """The one with that serial number, or the first; MissingError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """Cameras that one SDK opens.

    key : in ``camera:<key>``. sdk : the module that has to be there, and ``install`` what brings it. usb : vendor and
    products (a pattern of udev) that users may open.
    """

    key: str
    title: str
    load: Callable[[], Driver]
    sdk: str
    install: str
    usb: tuple[tuple[str, str], ...]

    @property
    def is_installed(self) -> bool:
        """Whether the SDK is there; it is not imported."""
        return util.find_spec(self.sdk) is not None


def _inivation() -> Driver:
    from spikebridge.sources import inivation

    return inivation


FAMILIES = (
    Family("inivation", "iniVation", _inivation, "dv_processing", "pip install dv-processing", (("152a", "84[0-1]?"),)),
)


def find_cameras() -> list[tuple[str, str]]:
    """(URI, model) of every camera that is plugged in and whose SDK is installed."""
    return [
        (f"camera:{family.key}/{serial}", model)
        for family in FAMILIES
        if family.is_installed
        for model, serial in family.load().discover()
    ]


def open_camera(uri: str) -> Source:
    """``camera:`` opens the first that is found, ``camera:<family>`` or ``camera:<family>/<serial>`` a certain one."""
    key, _, serial = uri.removeprefix("camera:").partition("/")
    if key:
        return _family(key, uri).load().open_camera(serial or None)
    found = find_cameras()
    if not found:
        raise MissingError(
            f"expected a camera of {_or([family.title for family in FAMILIES])}, found none; plug it in, and see "
            "'spikebridge doctor' for its SDK and the access to it."
        )
    return open_camera(found[0][0])


def udev_rules() -> str:
    """What lets the user who sits at the machine, and members of plugdev, open the cameras."""
    lines = ["# Event cameras: for who sits at the machine (uaccess) and for members of plugdev."]
    for family in FAMILIES:
        lines += ["", f"# {family.title}"]
        lines += [
            f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{products}", MODE="0660", '
            'GROUP="plugdev", TAG+="uaccess"'
            for vendor, products in family.usb
        ]
    return "\n".join([*lines, ""])


def _family(key: str, uri: str) -> Family:
    for family in FAMILIES:
        if family.key == key:
            return family
    uris = ["camera:", *(f"camera:{family.key}/<serial>" for family in FAMILIES)]
    raise UsageError(f"expected {_or(uris)}, found '{uri}'.")


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

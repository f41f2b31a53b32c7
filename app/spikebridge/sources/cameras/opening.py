"""Finds and opens cameras by the table of families."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from spikebridge.errors import MissingError, UsageError
from spikebridge.settings import SourceSettings
from spikebridge.sources.cameras import families, refusals
from spikebridge.sources.cameras.access import usb_devices
from spikebridge.sources.cameras.families import Family, Way
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoCameraError, NoSuchCamera, NoUsb
from spikebridge.sources.cameras.plugged import PluggedCamera
from spikebridge.sources.live import Camera, LiveSource


@dataclass(frozen=True, slots=True)
class ListedCamera:
    """A camera that is plugged in.

    uri : opens this one. driver : would open it. connection : in words, empty where it is not known. problem : a
    sentence on why it can't be opened, or on what to mind; empty where nothing is known against it.
    """

    uri: str
    model: str
    driver: str
    connection: str = ""
    problem: str = ""


def find_cameras() -> list[ListedCamera]:
    """Every camera that is plugged in and known to an installed driver; where several know it, by the first."""
    return [camera for family in families.FAMILIES for camera in _of_family(family)]


def open_camera(uri: str, settings: SourceSettings | None = None) -> LiveSource:
    """``camera:`` opens the first that is found, ``camera:<family>`` or ``camera:<family>/<serial>`` a certain one."""
    settings = settings or SourceSettings()
    key, _, serial = uri.removeprefix("camera:").partition("/")
    if not key:
        return _open_any(settings)
    family = _family(key, uri)
    way, camera = _open(family, serial or None, settings)
    found = camera.uri.rpartition("/")[2]
    note = refusals.slow_port(family, found)
    reopen = partial(_open_again, way, family, found, settings) if settings.reconnect else None
    return LiveSource(PluggedCamera(camera, reopen, (note,) if note else ()))


def describe_camera(uri: str) -> tuple[str, ...]:
    """Opens a camera only to see what it is set to."""
    source = open_camera(uri)
    source.close()
    return source.info.details


def _open_any(settings: SourceSettings) -> LiveSource:
    found = find_cameras()
    if found:
        return open_camera(next((camera for camera in found if not camera.problem), found[0]).uri, settings)
    absent = [refusals.absent(family, None) for family in families.FAMILIES]
    # One that is there and closed to this user says more than that there is none.
    telling = next((error for error in absent if not isinstance(error, NoCameraError)), None)
    if telling is not None:
        raise telling
    if sys.platform == "linux" and usb_devices() is None:
        raise refusals.no_usb("this system shows none")
    raise NoCameraError(
        f"expected a camera of {_or([family.title for family in families.FAMILIES])}, found none; plug it in, and see "
        "'spikebridge doctor' for its driver and the access to it."
    )


def _of_family(family: Family) -> Iterator[ListedCamera]:
    known: set[str] = set()
    for way in family.installed:
        for camera in _discover(way):
            if camera.serial and camera.serial.lower() in known:
                continue
            known.add(camera.serial.lower())
            problem = (
                str(refusals.refused(family, camera.serial or None, camera.problem))
                if camera.problem
                else refusals.slow_port(family, camera.serial)
            )
            uri = f"camera:{family.key}" + (f"/{camera.serial}" if camera.serial else "")
            yield ListedCamera(uri, camera.model, way.title, camera.connection, problem)


def _discover(way: Way) -> list[FoundCamera]:
    try:
        return way.load().discover()
    except (DriverError, MissingError):
        # What can't look finds nothing; opening says why.
        return []


def _open(family: Family, serial: str | None, settings: SourceSettings) -> tuple[Way, Camera]:
    """By the first way that knows the camera; the camera's title says which."""
    unseen: list[NoSuchCamera] = []
    for way in family.installed:
        camera = _try(way, family, serial, settings)
        if not isinstance(camera, NoSuchCamera):
            return way, camera
        unseen.append(camera)
    absent = refusals.absent(family, serial)
    blind = next((error for error in unseen if isinstance(error, NoUsb)), None)
    if blind is not None and isinstance(absent, NoCameraError):
        raise refusals.no_usb(str(blind)) from blind
    raise absent


def _open_again(way: Way, family: Family, serial: str, settings: SourceSettings) -> Camera:
    """The same camera by the same driver."""
    camera = _try(way, family, serial, settings)
    if isinstance(camera, NoSuchCamera):
        raise refusals.absent(family, serial) from camera
    return camera


def _try(way: Way, family: Family, serial: str | None, settings: SourceSettings) -> Camera | NoSuchCamera:
    """The camera, or that this driver does not know it; raises MissingError where it does and can't open it."""
    try:
        return way.load().open_camera(serial, settings.camera)
    except NoSuchCamera as error:
        return error
    except DriverError as error:
        raise refusals.refused(family, serial, str(error)) from error


def _family(key: str, uri: str) -> Family:
    for family in families.FAMILIES:
        if family.key == key:
            return family
    uris = ["camera:", *(f"camera:{family.key}/<serial>" for family in families.FAMILIES)]
    raise UsageError(f"expected {_or(uris)}, found '{uri}'.")


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

"""Cameras through neuromorphic-drivers, from pip alone: EVK3 HD, EVK4, CenturyArks VGA; DVXplorer, DAVIS346.

Names and fields as of neuromorphic-drivers 0.18; they changed between 0.15, 0.17 and 0.18.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any, Protocol

from spikebridge.errors import MissingError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras.device_settings import Range, check_biases, check_rate, check_region, lacks, shown
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoSuchCamera, NoUsb
from spikebridge.sources.live import CameraReport

#: Buffers of 128 KiB between USB and program: 8 MiB, a tenth of a second of the busiest scene, longer of others. What
#: does not fit is lost there and counted; the driver's own choice of 512 MiB would be seconds of delay instead.
RING_LENGTH = 64
#: Over which the driver counts events for its rate limit, µs; as Prophesee's own (gen41_erc.cpp of OpenEB 5.1.1).
ERC_PERIOD_US = 200
#: The limit is a field of 22 bits for each period.
_ERC_MOST = 2**22 - 1
#: By family: names of ``neuromorphic_drivers.Name``, and the module of each model's configuration.
MODELS: Mapping[str, Mapping[str, str]] = {
    "prophesee": {
        "PROPHESEE_EVK4": "prophesee_evk4",
        "PROPHESEE_EVK3_HD": "prophesee_evk3_hd",
        "CENTURYARKS_VGA": "centuryarks_vga",
    },
    "inivation": {"INIVATION_DVXPLORER": "inivation_dvxplorer", "INIVATION_DAVIS346": "inivation_davis346"},
}


class Ring(Protocol):
    """``status.RingStatus``. dropped_packets : since the camera was opened."""

    raw_packets: int
    dropped_packets: int


class Status(Protocol):
    ring: Ring | None


class Packet(Protocol):
    """(N,) with fields t, x, y and on; None for none."""

    polarity_events: EventArray | None


class Valued(Protocol):
    """A member of an enumeration."""

    name: str
    value: str


class Size(Protocol):
    width: int
    height: int


class Device(Protocol):
    """The calls of a device that are used; the protocols in the package's ``generated.devices`` have them all."""

    def __iter__(self) -> Iterator[tuple[Status, Packet | None]]: ...

    def __next__(self) -> tuple[Status, Packet | None]: ...

    def name(self) -> Valued: ...

    def serial(self) -> str: ...

    def properties(self) -> Size: ...

    def connection(self) -> Valued: ...

    def biases_bounds(self) -> object: ...

    def update_configuration(self, configuration: object) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class NeuromorphicDriver:
    """``families.Driver`` for the models of one family."""

    family: str

    def discover(self) -> list[FoundCamera]:
        return [
            FoundCamera(device.name.value, device.serial or "", device.connection.value, device.error or "")
            for device in self._listed()
        ]

    def open_camera(self, serial: str | None, settings: CameraSettings) -> NeuromorphicCamera:
        found = [device for device in self._listed() if serial in (None, device.serial)]
        if not found:
            raise NoSuchCamera("no camera")
        chosen = next((device for device in found if device.error is None), found[0])
        if chosen.error is not None:
            raise DriverError(str(chosen.error))
        sdk = _sdk()
        kind = getattr(sdk, MODELS[self.family][chosen.name.name])
        configured = configuration(sdk, kind, str(chosen.name.value), settings)
        ring = kind.RingConfiguration(ring_length=RING_LENGTH)
        try:
            device = sdk.open(serial=chosen.serial, iterator_timeout=0.0, ring_configuration=ring)
        except RuntimeError as error:
            raise DriverError(str(error)) from error
        return NeuromorphicCamera(device, self.family, configured, settings)

    def _listed(self) -> list[Any]:
        sdk = _sdk()
        try:
            listed = sdk.list_devices()
        except RuntimeError as error:
            raise NoUsb(str(error)) from error
        return [device for device in listed if device.name.name in MODELS[self.family]]


class NeuromorphicCamera:
    """One open camera as ``live.Camera``, ``live.Reporting`` and ``live.Detailed``.

    configured : what the device is set to after its ranges were looked at. The driver gives nothing back: settings are
    shown as they were written.
    """

    counts_losses = True

    def __init__(self, device: Device, family: str, configured: object, settings: CameraSettings) -> None:
        self._device: Device | None = device
        serial, model = device.serial(), device.name().value
        size = device.properties()
        self.uri = f"camera:{family}/{serial}"
        self.title = f"{model} {serial} (neuromorphic-drivers)"
        self.sensor = Sensor(size.width, size.height, model)
        self._packets = self._events = self._lost_packets = self._lost_events = 0
        limits = ranges(device)
        try:
            check_biases(self.title, settings.biases, {**dict.fromkeys(dict(settings.biases)), **limits})
        except BaseException:
            self.close()
            raise
        if settings != CameraSettings():
            device.update_configuration(configured)
        self.details = tuple(_details(device, configured, limits))

    def read(self) -> EventArray | None:
        if self._device is None:
            return None
        try:
            status, packet = next(self._device)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        events = None if packet is None else packet.polarity_events
        self._events += 0 if events is None else int(events.size)
        if status.ring is not None:
            self._count(status.ring.raw_packets, status.ring.dropped_packets)
        if events is None or not events.size:
            return None
        return make_events(events["t"], events["x"], events["y"], events["on"])

    def report(self) -> CameraReport:
        packets = self._lost_packets
        if not packets:
            return CameraReport()
        times = "1 USB packet" if packets == 1 else f"{packets:,} USB packets"
        return CameraReport(
            dropped=self._lost_events,
            notes=(
                f"the driver threw {times} away because they were not taken in time, about {self._lost_events:,} "
                "events (estimated: as many in each as in those that came); a lower --erc-rate or a faster machine "
                "helps.",
            ),
        )

    def close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _count(self, came: int, dropped: int) -> None:
        """``dropped`` is a total since the camera was opened."""
        self._packets += came
        new = dropped - self._lost_packets
        if new > 0:
            self._lost_packets = dropped
            self._lost_events += new * max(1, round(self._events / max(1, self._packets)))


def ranges(device: Device) -> dict[str, Range]:
    """Of the biases that the device gives one for."""
    bounds: Any = device.biases_bounds()
    return {
        field.name: (int(getattr(bounds, field.name).minimum), int(getattr(bounds, field.name).maximum))
        for field in dataclasses.fields(bounds)
    }


def configuration(sdk: ModuleType, kind: ModuleType, title: str, settings: CameraSettings) -> object:
    """Of a model with the settings; raises UsageError for what the model does not have. kind : its module, such as
    ``neuromorphic_drivers.prophesee_evk4``."""
    names = [field.name for field in dataclasses.fields(kind.Biases)]
    check_biases(title, settings.biases, dict.fromkeys(names))
    configured = kind.Configuration(biases=kind.Biases(**dict(settings.biases)))
    has = {field.name for field in dataclasses.fields(configured)}
    if settings.antiflicker_hz is not None:
        raise lacks(title, "anti-flicker", "--antiflicker", ", or install the Metavision SDK for Prophesee's cameras")
    if settings.erc_rate_hz is not None:
        if "rate_limiter" not in has:
            raise lacks(title, "an event rate limit", "--erc-rate", ", or thin events out with --filter")
        configured.rate_limiter = _rate_limiter(kind, title, settings.erc_rate_hz)
    if settings.roi is not None:
        _set_region(sdk, kind, configured, title, settings.roi)
    return configured


def _rate_limiter(kind: ModuleType, title: str, rate_hz: int) -> object:
    one = 1_000_000 // ERC_PERIOD_US
    check_rate(title, rate_hz, (one, _ERC_MOST * one))
    return kind.RateLimiter(
        reference_period_us=ERC_PERIOD_US, maximum_events_per_period=round(rate_hz * ERC_PERIOD_US / 1e6)
    )


def _set_region(
    sdk: ModuleType, kind: ModuleType, configured: object, title: str, region: tuple[int, int, int, int]
) -> None:
    size = kind.Properties()
    check_region(Sensor(int(size.width), int(size.height)), region)
    x, y, width, height = region
    if hasattr(configured, "region_of_interest"):
        configured.region_of_interest = kind.RegionOfInterest(left=x, top=y, width=width, height=height)
    elif hasattr(configured, "x_mask") and hasattr(configured, "y_mask"):
        # Rows of a mask count from the bottom of the picture, those of events from its top: RowColumnMask.pixels.
        mask = sdk.RowColumnMask(width=size.width, height=size.height, set=True)
        mask.clear_rectangle(x=x, y=size.height - y - height, width=width, height=height)
        configured.x_mask, configured.y_mask = mask.x_mask(), mask.y_mask()
    else:
        raise lacks(title, "a region of interest", "--roi")


def _details(device: Device, configured: object, limits: Mapping[str, Range]) -> list[str]:
    details = [
        f"driver neuromorphic-drivers {metadata.version('neuromorphic-drivers')}; settings as written to the device",
        f"connection {device.connection().value}",
    ]
    biases: Any = getattr(configured, "biases", None)
    details += [
        shown(field.name, getattr(biases, field.name), limits.get(field.name)) for field in dataclasses.fields(biases)
    ]
    limiter = getattr(configured, "rate_limiter", None)
    if limiter is not None:
        rate_hz = limiter.maximum_events_per_period * 1_000_000 // limiter.reference_period_us
        details.append(f"event rate limit {rate_hz:,} events/s")
    return details


def _sdk() -> ModuleType:
    try:
        import neuromorphic_drivers
    except ImportError as error:
        raise MissingError(
            "expected neuromorphic-drivers for this camera, found none; run 'pip install neuromorphic-drivers'."
        ) from error
    module: ModuleType = neuromorphic_drivers
    return module

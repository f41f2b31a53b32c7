"""Prophesee cameras, and those of its partners, through the Metavision SDK or OpenEB, 4.x and 5.x.

Only the hardware layer is used, ``metavision_hal``: ``metavision_core``'s iterators are made of the same calls, and
take a name that does not exist for a camera.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sized
from types import ModuleType
from typing import Literal

import numpy as np

from spikebridge.errors import MissingError
from spikebridge.events import EventArray, Sensor, join_events, make_events
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras.device_settings import Range, check_biases, check_rate, check_region, lacks, shown
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoSuchCamera
from spikebridge.sources.cameras.metavision_calls import AntiFlicker, Biases, Device, Discovery, Stream
from spikebridge.sources.live import CameraReport

#: The SDK's own queue has no end. What waits in it beyond this, a tenth of a second of the busiest scene, is thrown
#: away here, oldest first, and counted.
MOST_WAITING_BYTES = 8 << 20


class MetavisionDriver:
    """``families.Driver`` for all that the installed plugins know."""

    def discover(self) -> list[FoundCamera]:
        discovery: Discovery = _sdk().DeviceDiscovery
        # integrator:plugin:serial
        return [FoundCamera(f"{full.split(':')[0]} camera", full.rsplit(":", 1)[-1]) for full in discovery.list()]

    def open_camera(self, serial: str | None, settings: CameraSettings) -> MetavisionCamera:
        discovery: Discovery = _sdk().DeviceDiscovery
        found = [full for full in discovery.list() if serial in (None, full.rsplit(":", 1)[-1])]
        if not found:
            raise NoSuchCamera("no camera")
        try:
            device = discovery.open(found[0])
        except RuntimeError as error:
            raise DriverError(str(error)) from error
        if device is None:
            raise DriverError("the SDK could not open it; its reason stands above")
        return MetavisionCamera(device, settings)


class MetavisionCamera:
    """One open device as ``live.Camera``, ``live.Reporting`` and ``live.Detailed``. The SDK does not tell what is lost
    in the camera or on the USB; what is thrown away here is counted."""

    counts_losses = False

    def __init__(self, device: Device, settings: CameraSettings, most_bytes: int = MOST_WAITING_BYTES) -> None:
        geometry, hardware = device.get_i_geometry(), device.get_i_hw_identification()
        serial, name = hardware.get_serial(), hardware.get_sensor_info().name
        self.uri = f"camera:prophesee/{serial}"
        self.title = f"{hardware.get_integrator()} {name} {serial} (Metavision SDK)"
        self.sensor = Sensor(geometry.get_width(), geometry.get_height(), name)
        apply(device, self.title, self.sensor, settings)
        self.details = tuple(describe(device, settings))
        self._queue = _Queue(device.get_i_events_stream(), most_bytes)
        self._decoded: list[EventArray] = []
        self._events = self._lost_events = self._lost_bytes = 0
        self._decoder = device.get_i_events_stream_decoder()
        # Facilities are gone with their device.
        self._device: Device | None = device
        # The callback must not hold this object, or neither would ever be freed, and the camera stay open.
        decoded = self._decoded
        device.get_i_event_cd_decoder().add_event_buffer_callback(
            lambda events: decoded.append(make_events(events["t"], events["x"], events["y"], events["p"]))
        )
        self._queue.start()

    def read(self) -> EventArray | None:
        try:
            waiting = self._queue.take()
            for raw in waiting:
                self._decoder.decode(raw)
        except RuntimeError as error:
            raise OSError(" ".join(str(error).split())) from error
        self._count_lost()
        batches = [batch for batch in self._decoded if batch.size]
        self._decoded.clear()
        if not batches:
            if self._queue.ended and not waiting:
                raise OSError("the stream ended")
            return None
        events = batches[0] if len(batches) == 1 else join_events(batches)
        self._events += int(events.size)
        return events

    def report(self) -> CameraReport:
        if not self._lost_bytes:
            return CameraReport()
        return CameraReport(
            dropped=self._lost_events,
            notes=(
                f"{self._lost_bytes:,} bytes of the camera were thrown away because they were not decoded in time, "
                f"about {self._lost_events:,} events (estimated from the bytes that were); a lower --erc-rate or a "
                "faster machine helps.",
            ),
        )

    def close(self) -> None:
        if self._device is not None:
            with contextlib.suppress(RuntimeError):  # the camera may be gone
                self._queue.stop()
        self._device = None

    def _count_lost(self) -> None:
        new = self._queue.lost_bytes - self._lost_bytes
        if new:
            self._lost_bytes += new
            self._lost_events += max(1, round(new * self._events / max(1, self._queue.taken_bytes)))


class _Queue:
    """What waits in the SDK, bounded. taken_bytes : to be decoded. lost_bytes : thrown away. ended : no more comes."""

    def __init__(self, stream: Stream, most_bytes: int) -> None:
        self.taken_bytes = self.lost_bytes = 0
        self.ended = False
        self._stream = stream
        self._most_bytes = most_bytes

    def start(self) -> None:
        self._stream.start()

    def stop(self) -> None:
        self._stream.stop()

    def take(self) -> deque[object]:
        """Raw buffers, oldest first; all that waits, but for what is too much."""
        waiting: deque[object] = deque()
        n_bytes = 0
        state = self._stream.poll_buffer()
        while state > 0:
            raw = self._stream.get_latest_raw_data()
            # Up to 4.4 it is a view of memory that the next call overwrites.
            waiting.append(raw.copy() if isinstance(raw, np.ndarray) else raw)
            n_bytes += _n_bytes(raw)
            while n_bytes > self._most_bytes and len(waiting) > 1:
                lost = _n_bytes(waiting.popleft())
                n_bytes -= lost
                self.lost_bytes += lost
            state = self._stream.poll_buffer()
        self.taken_bytes += n_bytes
        self.ended = state < 0
        return waiting


def apply(device: Device, title: str, sensor: Sensor, settings: CameraSettings) -> None:
    """Sets what is asked for; raises UsageError for what the device does not have."""
    biases = device.get_i_ll_biases()
    check_biases(title, settings.biases, ranges(biases))
    if biases is not None:
        for name, value in settings.biases:
            biases.set(name, value)
    if settings.erc_rate_hz is not None:
        erc = device.get_i_erc_module()
        if erc is None:
            raise lacks(title, "an event rate limit", "--erc-rate", ", or thin events out with --filter")
        limits = erc.get_min_supported_cd_event_rate(), erc.get_max_supported_cd_event_rate()
        check_rate(title, settings.erc_rate_hz, limits)
        erc.set_cd_event_rate(settings.erc_rate_hz)
        erc.enable(True)
    if settings.roi is not None:
        region = device.get_i_roi()
        if region is None:
            raise lacks(title, "a region of interest", "--roi")
        check_region(sensor, settings.roi)
        region.set_window(_sdk().I_ROI.Window(*settings.roi))
        region.enable(True)
    if settings.antiflicker_hz is not None:
        _set_antiflicker(device.get_i_antiflicker_module(), title, settings.antiflicker_hz)


def ranges(biases: Biases | None) -> dict[str, Range]:
    """Of the biases that can be changed, by name; None where the SDK does not tell, before 4.1."""
    if biases is None:
        return {}
    names = list(biases.get_all_biases())
    if not hasattr(biases, "get_bias_info"):
        return dict.fromkeys(names)
    infos = {name: biases.get_bias_info(name) for name in names}
    # Whether a bias can be changed is told since 4.4; before, all of them are said to be.
    return {
        name: info.get_bias_range() for name, info in infos.items() if getattr(info, "is_modifiable", lambda: True)()
    }


def describe(device: Device, settings: CameraSettings) -> list[str]:
    """Driver, connection and settings as the device gives them back; a region as it was set."""
    hardware = device.get_i_hw_identification()
    version = device.get_i_hal_software_info().get_software_info().get_version()
    details = [
        f"driver Metavision SDK {version}, which does not tell what is lost on the way to it",
        f"connection {hardware.get_connection_type()}, {hardware.get_current_data_encoding_format()}",
    ]
    biases = device.get_i_ll_biases()
    limits = ranges(biases)
    if biases is not None:
        details += [shown(name, value, limits.get(name)) for name, value in biases.get_all_biases().items()]
    erc = device.get_i_erc_module()
    if erc is not None and erc.is_enabled():
        details.append(f"event rate limit {erc.get_cd_event_rate():,} events/s")
    antiflicker = device.get_i_antiflicker_module()
    if antiflicker is not None and antiflicker.is_enabled():
        lowest, highest = antiflicker.get_band_low_frequency(), antiflicker.get_band_high_frequency()
        details.append(f"anti-flicker {lowest} … {highest} Hz")
    if settings.roi is not None:
        details.append(f"region {','.join(map(str, settings.roi))} (as set)")
    return details


def _set_antiflicker(module: AntiFlicker | None, title: str, band: tuple[int, int] | Literal[True]) -> None:
    if module is None:
        raise lacks(title, "anti-flicker", "--antiflicker")
    if isinstance(band, tuple):
        limits = module.get_min_supported_frequency(), module.get_max_supported_frequency()
        names = ("the lowest frequency", "the highest frequency")
        check_biases(title, zip(names, band, strict=True), dict.fromkeys(names, limits))
        module.set_frequency_band(*band)
    module.enable(True)


def _n_bytes(raw: object) -> int:
    """Of an array, a list of bytes, or an object with ``size()``: what the SDK gives has changed twice."""
    size = getattr(raw, "size", None)
    if callable(size):
        return int(size())
    return len(raw) if isinstance(raw, Sized) else 0


def _sdk() -> ModuleType:
    try:
        import metavision_hal
    except ImportError as error:
        raise MissingError(
            "expected the Metavision SDK for this camera, found that this Python can't import metavision_hal; install "
            "it from docs.prophesee.ai, and start with 'PYTHONPATH=/usr/lib/python3/dist-packages'."
        ) from error
    module: ModuleType = metavision_hal
    return module

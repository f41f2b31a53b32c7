"""iniVation cameras (DVS128, DAVIS, DVXplorer) through dv-processing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any, Protocol

from spikebridge.errors import MissingError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras.device_settings import Range, check_biases, check_region, lacks, shown
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoSuchCamera

#: dv-processing's names of connections; the words are those of the USB.
_SPEEDS = {
    "LIBUSB_SPEED_LOW": "USB 1.0 Low Speed (1.5 Mb/s)",
    "LIBUSB_SPEED_FULL": "USB 1.1 Full Speed (12 Mb/s)",
    "LIBUSB_SPEED_HIGH": "USB 2.0 High Speed (480 Mb/s)",
    "LIBUSB_SPEED_SUPER": "USB 3.0 SuperSpeed (5.0 Gb/s)",
    "LIBUSB_SPEED_SUPER_PLUS": "USB 3.1 SuperSpeed+ (10.0 Gb/s)",
    "LIBUSB_SPEED_SUPER_PLUS_X2": "USB 3.2 SuperSpeed+ (20.0 Gb/s)",
}


class Store(Protocol):
    """An ``EventStore``: (N,) with fields timestamp, x, y and polarity."""

    def numpy(self) -> EventArray: ...


class Device(Protocol):
    """The calls of dv-processing that all its cameras have, and that are used."""

    def getCameraName(self) -> str: ...  # noqa: N802 - dv-processing's names

    def getEventResolution(self) -> tuple[int, int] | None: ...  # noqa: N802

    def getNextEventBatch(self) -> Store | None: ...  # noqa: N802

    def isRunning(self) -> bool: ...  # noqa: N802

    def setCropArea(self, area: tuple[int, int, int, int]) -> None: ...  # noqa: N802

    def getCropArea(self) -> tuple[int, int, int, int] | None: ...  # noqa: N802

    def getConnectionSpeed(self) -> object: ...  # noqa: N802

    def getFirmwareVersion(self) -> int: ...  # noqa: N802


class DvDriver:
    """``families.Driver`` for all that dv-processing knows."""

    def discover(self) -> list[FoundCamera]:
        found = _sdk().io.camera.discover()
        return [FoundCamera(str(device.cameraModel).rsplit(".", 1)[-1], str(device.serialNumber)) for device in found]

    def open_camera(self, serial: str | None, settings: CameraSettings) -> InivationCamera:
        camera = _sdk().io.camera
        try:
            device = camera.open(serial) if serial else camera.open()
        except IndexError as error:
            # Without any camera dv-processing 2 raises a bare IndexError.
            raise NoSuchCamera("no camera") from error
        except RuntimeError as error:
            words = _words(error)
            if "could not find device" in words.lower():
                raise NoSuchCamera(words) from error
            raise DriverError(words) from error
        return InivationCamera(device, settings)


class InivationCamera:
    """One open camera as ``live.Camera`` and ``live.Detailed``. dv-processing does not tell what it throws away."""

    counts_losses = False

    def __init__(self, device: Device, settings: CameraSettings) -> None:
        self._device: Device | None = device
        size = device.getEventResolution()
        name = str(device.getCameraName())
        if size is None:
            raise MissingError(f"expected a camera with events, found {name} without; use another one.")
        self.uri = f"camera:inivation/{name.rsplit('_', 1)[-1]}"
        self.title = f"{name.replace('_', ' ')} (dv-processing)"
        self.sensor = Sensor(int(size[0]), int(size[1]), name)
        _apply(device, self.title, self.sensor, settings)
        self.details = tuple(_details(device))

    def read(self) -> EventArray | None:
        device = self._device
        store = device.getNextEventBatch() if device is not None else None
        if store is None:
            if device is not None and not device.isRunning():
                raise OSError("the stream ended")
            return None
        batch = store.numpy()
        return make_events(batch["timestamp"], batch["x"], batch["y"], batch["polarity"])

    def close(self) -> None:
        # The driver stops its transfers when the object dies; there is no call for it.
        self._device = None


@dataclass(frozen=True, slots=True)
class _Bias:
    """One bias of a device: how it is read and set, and its range."""

    get: Callable[[], int]
    set: Callable[[int], None]
    limits: Range


def biases(device: Device) -> dict[str, _Bias]:
    """By the names that dv-processing gives them; none where the device has none that can be set.

    Those of a DAVIS are one number, coarse · 256 + fine, as other programs for these cameras write them.
    """
    camera = _sdk().io.camera
    if isinstance(device, camera.DVS128):
        names = camera.DVS128.Bias.__members__
        return {name: _of_dvs128(device, bias) for name, bias in names.items()}
    if isinstance(device, (camera.DVXplorer, camera.DVXplorerM)):
        return {
            "ContrastThresholdOn": _Bias(
                lambda: int(device.getContrastThresholdOn()), device.setContrastThresholdOn, None
            ),
            "ContrastThresholdOff": _Bias(
                lambda: int(device.getContrastThresholdOff()), device.setContrastThresholdOff, None
            ),
        }
    if isinstance(device, camera.DAVIS):
        return _davis_biases(device, camera.DAVIS)
    return {}


def _of_dvs128(device: Any, bias: object) -> _Bias:  # noqa: ANN401 - a DVS128, without types
    return _Bias(lambda: int(device.getBias(bias)), lambda value: device.setBias(bias, value), (0, 2**24 - 1))


def _davis_biases(device: Any, davis: Any) -> dict[str, _Bias]:  # noqa: ANN401 - a DAVIS and its class, without types
    chip = str(device.getSensorModel()).rsplit(".", 1)[-1]
    kind = "Davis240" if chip.startswith("DAVIS240") else "CDavis" if chip == "CDAVIS" else "Davis346"
    get, put = getattr(device, f"get{kind}BiasCoarseFine"), getattr(device, f"set{kind}BiasCoarseFine")

    def coarse_fine(bias: object) -> _Bias:
        def read() -> int:
            coarse, fine = get(bias)
            return int(coarse) * 256 + int(fine)

        return _Bias(read, lambda value: put(bias, *divmod(value, 256)), (0, 8 * 256 - 1))

    return {name: coarse_fine(bias) for name, bias in getattr(davis, f"{kind}BiasCF").__members__.items()}


def _apply(device: Device, title: str, sensor: Sensor, settings: CameraSettings) -> None:
    if settings.erc_rate_hz is not None:
        raise lacks(title, "an event rate limit", "--erc-rate", ", or thin events out with --filter")
    if settings.antiflicker_hz is not None:
        raise lacks(title, "anti-flicker", "--antiflicker")
    known = biases(device)
    check_biases(title, settings.biases, {name: bias.limits for name, bias in known.items()})
    for name, value in settings.biases:
        known[name].set(value)
    if settings.roi is not None:
        check_region(sensor, settings.roi)
        device.setCropArea(settings.roi)


def _details(device: Device) -> list[str]:
    details = [
        f"driver dv-processing {metadata.version('dv-processing')}, which does not tell what it loses",
        f"connection {_SPEEDS.get(str(device.getConnectionSpeed()).rsplit('.', 1)[-1], 'unknown')}",
        shown("firmware", device.getFirmwareVersion()),
    ]
    details += [shown(name, bias.get(), bias.limits) for name, bias in biases(device).items()]
    region = device.getCropArea()
    return [*details, *([shown("region", ",".join(str(int(v)) for v in region))] if region is not None else [])]


def _words(error: RuntimeError) -> str:
    """The sentence of an error; dv-processing puts the place in its source before it and a stack behind it."""
    lines = [line for line in str(error).splitlines() if line.startswith("RuntimeError: ")]
    return lines[0].removeprefix("RuntimeError: ") if lines else str(error)


def _sdk() -> ModuleType:
    try:
        import dv_processing
    except ImportError as error:
        raise MissingError(
            "expected dv-processing for iniVation cameras, found none; run 'pip install dv-processing'."
        ) from error
    module: ModuleType = dv_processing
    return module

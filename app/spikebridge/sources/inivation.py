"""iniVation cameras (DVS128, DAVIS, DVXplorer) through dv-processing. The only file that imports it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from spikebridge.errors import MissingError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.sources.live import LiveSource

_PERMISSION_FIX = "plug it in, and see 'spikebridge doctor' for the access to it if it is not found"


def discover() -> list[tuple[str, str]]:
    """(model, serial number) of every iniVation camera that is plugged in."""
    found = _sdk().io.camera.discover()
    return [(str(device.cameraModel).rsplit(".", 1)[-1], str(device.serialNumber)) for device in found]


def open_camera(serial: str | None) -> LiveSource:
    """The camera with that serial number, or the first one; MissingError when there is none."""
    return LiveSource(InivationCamera(serial))


class InivationCamera:
    """One open camera as ``live.Camera``."""

    def __init__(self, serial: str | None) -> None:
        camera = _sdk().io.camera
        try:
            self._device: Any = camera.open(serial) if serial else camera.open()
        except (IndexError, RuntimeError) as error:
            # Without any camera dv-processing 2 raises a bare IndexError.
            wanted = f"an iniVation camera with serial number {serial}" if serial else "an iniVation camera"
            raise MissingError(f"expected {wanted}, found none; {_PERMISSION_FIX}.") from error
        size = self._device.getEventResolution()
        if size is None:
            raise MissingError(f"expected a camera with events, found {self._device.getCameraName()} without.")
        name = str(self._device.getCameraName())
        self.uri = f"camera:inivation/{name.rsplit('_', 1)[-1]}"
        self.title = name.replace("_", " ")
        self.sensor = Sensor(int(size[0]), int(size[1]), name)

    def read(self) -> EventArray | None:
        store = self._device.getNextEventBatch()
        if store is None:
            if not self._device.isRunning():
                raise OSError("the stream ended")
            return None
        batch = store.numpy()
        return make_events(batch["timestamp"], batch["x"], batch["y"], batch["polarity"])

    def close(self) -> None:
        # The driver stops its transfers when the object dies; there is no call for it.
        self._device = None


def _sdk() -> ModuleType:
    try:
        import dv_processing
    except ImportError as error:
        raise MissingError(
            "expected dv-processing for iniVation cameras, found none; run 'pip install dv-processing'."
        ) from error
    module: ModuleType = dv_processing
    return module

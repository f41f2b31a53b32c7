"""The installed dv-processing: what it has that is used, its answers without a camera, and stand-ins of its cameras."""

from __future__ import annotations

from types import SimpleNamespace

import dv_processing as dv
import numpy as np
import pytest

from spikebridge.errors import MissingError, UsageError
from spikebridge.events import Sensor
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras import inivation
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoSuchCamera
from spikebridge.sources.cameras.inivation import DvDriver, InivationCamera

CAMERA = dv.io.camera
CALLS = [name for name in dir(inivation.Device) if not name.startswith("_")]
KINDS = ("DVS128", "DAVIS", "DVXplorer", "DVXplorerM")


# ---------------------------------------------------------------- the installed package


@pytest.mark.parametrize("kind", KINDS)
def test_cameras_of_the_package_have_what_is_called(kind):
    assert [name for name in CALLS if not callable(getattr(getattr(CAMERA, kind), name, None))] == []


def test_signatures_of_the_package():
    assert "discover() -> list[dv_processing.io.camera.USBDevice.DeviceDescriptor]" in CAMERA.discover.__doc__
    assert "open(serialNumber: str, deviceLogLevel" in CAMERA.open.__doc__
    assert "open(deviceLogLevel" in CAMERA.open.__doc__
    assert {"cameraModel", "serialNumber"} <= set(dir(CAMERA.USBDevice.DeviceDescriptor))
    assert "setBias(self: dv_processing.io.camera.DVS128, bias" in CAMERA.DVS128.setBias.__doc__
    for kind in ("Davis346", "Davis240", "CDavis"):
        assert "bias: dv_processing.io.camera.DAVIS" in getattr(CAMERA.DAVIS, f"set{kind}BiasCoarseFine").__doc__
        assert "-> tuple[int, int]" in getattr(CAMERA.DAVIS, f"get{kind}BiasCoarseFine").__doc__
    for name in ("ContrastThresholdOn", "ContrastThresholdOff"):
        for kind in (CAMERA.DVXplorer, CAMERA.DVXplorerM):
            assert "-> int" in getattr(kind, f"get{name}").__doc__


def test_enumerations_of_the_package():
    assert set(inivation._SPEEDS) | {"LIBUSB_SPEED_UNKNOWN"} == set(CAMERA.libusb_speed.__members__)
    names = "CAS DIFF DIFF_OFF DIFF_ON FOLL INJGND PR PUX PUY REFR REQ REQPD"
    assert set(CAMERA.DVS128.Bias.__members__) == set(names.split())
    assert {"On", "Off", "Diff", "Refractory", "Photoreceptor"} <= set(CAMERA.DAVIS.Davis346BiasCF.__members__)
    assert set(CAMERA.DAVIS.SensorModel.__members__) == {
        "DAVIS240A", "DAVIS240B", "DAVIS240C", "DAVIS346", "DAVIS640", "CDAVIS",
    }  # fmt: skip


def test_without_a_camera_the_real_package_says_so():
    if CAMERA.discover():
        pytest.skip("a camera is plugged in here")
    assert DvDriver().discover() == []
    # The bare IndexError and the RuntimeError with a stack that dv-processing raises.
    with pytest.raises(NoSuchCamera):
        DvDriver().open_camera(None, CameraSettings())
    with pytest.raises(NoSuchCamera, match=r"^Could not find device with given serial number$"):
        DvDriver().open_camera("12345", CameraSettings())


# ---------------------------------------------------------------- an open camera


class StandIn:
    """The calls of ``inivation.Device`` and nothing more; batches are scripted, then the stream ends."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.area = (0, 0, 346, 260)

    def getCameraName(self):  # noqa: N802
        return "DAVIS346_00000001"

    def getEventResolution(self):  # noqa: N802
        return (346, 260)

    def getNextEventBatch(self):  # noqa: N802
        times = self.batches.pop(0) if self.batches else None
        if times is None:
            return None
        batch = np.array([(t, 3, 4, 1) for t in times], dtype="i8,i2,i2,i1")
        batch.dtype.names = ("timestamp", "x", "y", "polarity")
        return SimpleNamespace(numpy=lambda: batch)

    def isRunning(self):  # noqa: N802
        return bool(self.batches)

    def setCropArea(self, area):  # noqa: N802
        self.area = area

    def getCropArea(self):  # noqa: N802
        return self.area

    def getConnectionSpeed(self):  # noqa: N802
        return CAMERA.libusb_speed.LIBUSB_SPEED_SUPER

    def getFirmwareVersion(self):  # noqa: N802
        return 6


def test_the_stand_in_has_these_calls_and_nothing_more():
    assert {name for name in vars(StandIn) if not name.startswith("_")} == set(CALLS)


def test_a_camera_gives_its_batches_until_the_stream_ends():
    camera = InivationCamera(StandIn([7], None, [8]), CameraSettings())
    assert camera.sensor == Sensor(346, 260, "DAVIS346_00000001")
    assert (camera.uri, camera.title) == ("camera:inivation/00000001", "DAVIS346 00000001 (dv-processing)")
    events = camera.read()
    assert [events[name].tolist() for name in ("t", "x", "y", "polarity")] == [[7], [3], [4], [1]]
    assert camera.read() is None
    assert camera.read()["t"].tolist() == [8]
    with pytest.raises(OSError, match="the stream ended"):
        camera.read()
    camera.close()
    assert camera.read() is None


def test_a_camera_without_events_is_refused():
    device = StandIn()
    device.getEventResolution = lambda: None
    with pytest.raises(MissingError, match="a camera with events, found DAVIS346_00000001 without"):
        InivationCamera(device, CameraSettings())


def test_a_region_is_set_and_read_back():
    camera = InivationCamera(StandIn(), CameraSettings(roi=(10, 20, 300, 200)))
    assert camera.details[1:] == ("connection USB 3.0 SuperSpeed (5.0 Gb/s)", "firmware 6", "region 10,20,300,200")
    assert camera.details[0].endswith("which does not tell what it loses")
    assert not camera.counts_losses


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"biases": (("On", 1),)}, "--bias On.*has none here"),
        ({"erc_rate_hz": 10**6}, "--erc-rate.*has none here.*--filter"),
        ({"antiflicker_hz": True}, "--antiflicker.*has none here"),
        ({"roi": (47, 0, 300, 200)}, "within the 346×260 px"),
    ],
)
def test_what_a_camera_does_not_have_is_named(given, sentence):
    with pytest.raises(UsageError, match=sentence):
        InivationCamera(StandIn(), CameraSettings(**given))


# ---------------------------------------------------------------- biases, by stand-ins for the package's classes


class Dvs128(StandIn):
    Bias = CAMERA.DVS128.Bias

    def __init__(self):
        super().__init__()
        self.values = dict.fromkeys(self.Bias.__members__.values(), 5)

    def getBias(self, bias):  # noqa: N802
        return self.values[bias]

    def setBias(self, bias, value):  # noqa: N802
        self.values[bias] = value


class Davis(StandIn):
    Davis346BiasCF, Davis240BiasCF, CDavisBiasCF = (
        getattr(CAMERA.DAVIS, f"{kind}BiasCF") for kind in ("Davis346", "Davis240", "CDavis")
    )

    def __init__(self, chip="DAVIS346"):
        super().__init__()
        self.chip, self.set = chip, {}

    def getSensorModel(self):  # noqa: N802
        return CAMERA.DAVIS.SensorModel.__members__[self.chip]

    def __getattr__(self, name):
        kind = {"DAVIS346": "Davis346", "DAVIS240C": "Davis240", "CDAVIS": "CDavis"}[self.__dict__["chip"]]
        if name == f"get{kind}BiasCoarseFine":
            return lambda bias: self.set.get(bias, (6, 28))
        if name == f"set{kind}BiasCoarseFine":
            return lambda bias, coarse, fine: self.set.__setitem__(bias, (coarse, fine))
        raise AttributeError(name)


class Explorer(StandIn):
    on, off = 9, 8

    def getContrastThresholdOn(self):  # noqa: N802
        return self.on

    def setContrastThresholdOn(self, value):  # noqa: N802
        self.on = value

    def getContrastThresholdOff(self):  # noqa: N802
        return self.off

    def setContrastThresholdOff(self, value):  # noqa: N802
        self.off = value


@pytest.fixture
def package(monkeypatch):
    """dv-processing whose cameras are those of this file."""
    camera = SimpleNamespace(DVS128=Dvs128, DAVIS=Davis, DVXplorer=Explorer, DVXplorerM=Explorer)
    monkeypatch.setattr(inivation, "_sdk", lambda: SimpleNamespace(io=SimpleNamespace(camera=camera)))
    return camera


def test_biases_of_a_dvs128(package):
    device = Dvs128()
    camera = InivationCamera(device, CameraSettings(biases=(("DIFF_ON", 1000),)))
    assert device.values[CAMERA.DVS128.Bias.DIFF_ON] == 1000
    assert "DIFF_ON 1000 (0 … 16777215)" in camera.details
    assert "REFR 5 (0 … 16777215)" in camera.details


@pytest.mark.parametrize("chip", ["DAVIS346", "DAVIS240C", "CDAVIS"])
def test_biases_of_a_davis_are_coarse_and_fine_in_one_number(package, chip):
    device = Davis(chip)
    camera = InivationCamera(device, CameraSettings(biases=(("On", 5 * 256 + 20),)))
    ((bias, value),) = device.set.items()
    assert (bias.name, value) == ("On", (5, 20))
    assert "On 1300 (0 … 2047)" in camera.details
    assert "Off 1564 (0 … 2047)" in camera.details  # 6 · 256 + 28


def test_biases_of_a_dvxplorer(package):
    device = Explorer()
    camera = InivationCamera(device, CameraSettings(biases=(("ContrastThresholdOff", 3),)))
    assert (device.on, device.off) == (9, 3)
    assert camera.details[-3:-1] == ("ContrastThresholdOn 9", "ContrastThresholdOff 3")
    with pytest.raises(UsageError, match="among ContrastThresholdOn, ContrastThresholdOff, found 'On'"):
        InivationCamera(Explorer(), CameraSettings(biases=(("On", 1),)))


# ---------------------------------------------------------------- discovery


def test_cameras_are_found_by_model_and_number(monkeypatch):
    found = [SimpleNamespace(cameraModel=CAMERA.CameraModel.DAVIS, serialNumber="00000001")]
    monkeypatch.setattr(CAMERA, "discover", lambda: found)
    assert DvDriver().discover() == [FoundCamera("DAVIS", "00000001")]


def test_the_sentence_of_an_error_is_handed_on(monkeypatch):
    def refuse(*serial):
        raise RuntimeError(
            "/project/include/usb.hpp(88): open()\nRuntimeError: Failed to claim USB interface 0. This usually "
            "happens because the device is already in use by another running program.\nStacktrace:\n 0# 0x3AB"
        )

    monkeypatch.setattr(CAMERA, "open", refuse)
    with pytest.raises(DriverError, match=r"^Failed to claim USB interface 0.*running program\.$"):
        DvDriver().open_camera(None, CameraSettings())

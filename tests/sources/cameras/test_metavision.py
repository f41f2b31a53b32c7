"""Prophesee's cameras through the Metavision SDK: a stand-in of its calls, and the SDK itself where it is there."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
import time
from pathlib import Path

import metavision_standin as standin
import numpy as np
import pytest

from recording_files import SHARED, needs_shared
from spikebridge.errors import MissingError, UsageError
from spikebridge.settings import CameraSettings, SourceSettings
from spikebridge.sources import open_source
from spikebridge.sources.cameras import metavision, metavision_calls
from spikebridge.sources.cameras.found import DriverError, NoSuchCamera
from spikebridge.sources.cameras.metavision import MetavisionCamera, MetavisionDriver

SIGNATURES = json.loads((Path(__file__).parent / "metavision_signatures.json").read_text())
#: Our protocol → the SDK's class.
CLASSES = {
    "Discovery": "DeviceDiscovery", "Geometry": "I_Geometry", "Hardware": "I_HW_Identification",
    "Software": "I_HALSoftwareInfo", "Stream": "I_EventsStream", "Decoder": "I_Decoder",
    "Events": "I_EventDecoder_EventCD", "BiasInfo": "LL_Bias_Info", "Biases": "I_LL_Biases",
    "EventRateController": "I_ErcModule", "Region": "I_ROI", "AntiFlicker": "I_AntiFlickerModule", "Device": "Device",
}  # fmt: skip
has_sdk = importlib.util.find_spec("metavision_hal") is not None
needs_sdk = pytest.mark.skipif(not has_sdk, reason="the Metavision SDK is not installed here")
FULL = "Prophesee:hal_plugin_prophesee:00051234"


def calls_of(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def parameters(signature):
    """How many beside ``self``: `` enable(self: x, b: bool) -> bool`` has 1."""
    inside = signature[signature.index("(") + 1 : signature.rindex(") ->")]
    depth, commas = 0, 0
    for letter in inside:
        depth += (letter in "[(<") - (letter in "])>")
        commas += letter == "," and not depth
    return (commas + 1 if inside else 0) - inside.startswith("self")


# ---------------------------------------------------------------- the calls


def test_nothing_else_is_called_than_what_was_recorded():
    ours = {f"{CLASSES[name]}.{call}" for name in CLASSES for call in calls_of(getattr(metavision_calls, name))}
    assert ours | {"SensorInfo.name"} == set(SIGNATURES["calls"])


@pytest.mark.parametrize("name", CLASSES)
def test_calls_have_the_recorded_number_of_parameters(name):
    protocol = getattr(metavision_calls, name)
    for call in calls_of(protocol):
        ours = len(inspect.signature(getattr(protocol, call)).parameters) - 1
        assert ours in {parameters(text) for text in SIGNATURES["calls"][f"{CLASSES[name]}.{call}"]}, call


@pytest.mark.parametrize("name", CLASSES)
def test_the_stand_in_has_these_calls_and_nothing_more(name):
    assert calls_of(getattr(standin, name)) == calls_of(getattr(metavision_calls, name))


@needs_sdk
@pytest.mark.parametrize("call", SIGNATURES["calls"])
def test_the_installed_sdk_has_these_calls(call):
    import metavision_hal

    owner, name = call.split(".")
    found = getattr(getattr(metavision_hal, owner), name).__doc__ or ""
    for signature in SIGNATURES["calls"][call]:
        assert signature in found or not SIGNATURES["openeb"].startswith("5.")


@needs_sdk
@needs_shared
@pytest.mark.parametrize("name", ["evt3_gen41.raw", "evt2_sparks.raw", "evt2_dot.raw"])
def test_the_real_sdk_gives_the_events_of_a_raw_file_opened_as_a_device(name):
    import metavision_hal

    config = metavision_hal.RawFileConfig()
    config.do_time_shifting = False
    device = metavision_hal.DeviceDiscovery.open_raw_file(str(SHARED / "formats" / name), config)
    events = drained(MetavisionCamera(device, CameraSettings(), 1 << 40))
    expected = json.loads((SHARED / "expected.json").read_text())[f"formats/{name}"]
    sums = {f"sum_{axis}": int(events[axis].sum(dtype=np.int64)) for axis in "xy"}
    assert sums == {"sum_x": expected["sum_x"], "sum_y": expected["sum_y"]}
    assert (events.size, int(events["polarity"].sum())) == (expected["events"], expected["on"])
    assert int(events["t"][0]) == expected["t_first"]


# ---------------------------------------------------------------- events


def drained(camera):
    batches = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            events = camera.read()
        except OSError:
            break
        if events is not None:
            batches.append(events)
    camera.close()
    return np.concatenate(batches)


def camera_of(*script, **given):
    device = standin.Device(script)
    return MetavisionCamera(device, CameraSettings(), **given), device.get_i_events_stream()


def test_a_device_gives_its_events():
    camera, stream = camera_of(standin.RawBuffer(standin.event_cd([5, 6], x=[1, 2], y=[3, 4], p=[0, 1])), 0)
    assert stream.running
    events = camera.read()
    assert [events[name].tolist() for name in ("t", "x", "y", "polarity")] == [[5, 6], [1, 2], [3, 4], [0, 1]]
    assert camera.uri == "camera:prophesee/00051234"
    assert camera.title == "Prophesee IMX636 00051234 (Metavision SDK)"
    assert (camera.sensor.width, camera.sensor.height, camera.sensor.name) == (1280, 720, "IMX636")
    camera.close()
    camera.close()
    assert not stream.running


def test_all_buffers_that_wait_come_as_one():
    buffers = [standin.RawBuffer(standin.event_cd([t, t + 1])) for t in (0, 10, 20)]
    camera, _ = camera_of(*buffers, 0)
    assert camera.read()["t"].tolist() == [0, 1, 10, 11, 20, 21]


def test_nothing_yet_is_not_the_end_and_the_end_comes_after_the_last_events():
    camera, _ = camera_of(0, standin.RawBuffer(standin.event_cd([1])))
    assert camera.read() is None
    assert camera.read()["t"].tolist() == [1]
    with pytest.raises(OSError, match="the stream ended"):
        camera.read()


def test_a_buffer_without_events_is_not_the_end():
    camera, _ = camera_of(standin.RawBuffer(standin.event_cd([]), 100))
    assert camera.read() is None


def test_a_lost_camera_is_an_os_error_in_one_line():
    camera, _ = camera_of(RuntimeError("LIBUSB_ERROR_NO_DEVICE\n  No such device"))
    with pytest.raises(OSError, match=r"^LIBUSB_ERROR_NO_DEVICE No such device$"):
        camera.read()


def test_arrays_of_sdks_up_to_4_4_are_copied_before_the_next_overwrites_them():
    first, second = standin.event_cd([1]), standin.event_cd([2])

    class Overwriting(standin.Stream):
        def get_latest_raw_data(self):
            raw = self.script.pop(0)
            if raw is second:
                first["t"] = 99
            return raw

    device = standin.Device()
    device._parts["stream"] = Overwriting([first, second])
    assert MetavisionCamera(device, CameraSettings()).read()["t"].tolist() == [1, 2]


def test_lists_of_bytes_of_sdks_up_to_4_6_are_counted_too():
    class RawDataBuffer(list):
        events = standin.event_cd([3])

    camera, _ = camera_of(RawDataBuffer(40 * b"x"), RawDataBuffer(40 * b"x"), RawDataBuffer(40 * b"x"), most_bytes=80)
    assert camera.read()["t"].tolist() == [3, 3]
    assert "40 bytes of the camera" in camera.report().notes[0]


def test_what_waits_too_long_is_thrown_away_oldest_first_and_counted():
    """Ten events of 40 bytes come first, so that events per byte are known; then 5 buffers where 2 have room."""
    first = standin.RawBuffer(standin.event_cd(range(10)), 40)
    later = [standin.RawBuffer(standin.event_cd([100 + i, 100 + i]), 40) for i in range(5)]
    camera, _ = camera_of(first, 0, *later, 0, 0, most_bytes=80)
    assert camera.read().size == 10
    assert camera.report().dropped == 0
    assert camera.read()["t"].tolist() == [103, 103, 104, 104]
    # 120 bytes were lost; 10 events came in the 120 that were taken by then.
    assert camera.report().dropped == 10
    assert "120 bytes of the camera were thrown away" in camera.report().notes[0]
    camera.read()
    assert camera.report().dropped == 10


def test_one_buffer_larger_than_the_room_is_kept():
    camera, _ = camera_of(standin.RawBuffer(standin.event_cd([1]), 1000), most_bytes=80)
    assert camera.read().size == 1


# ---------------------------------------------------------------- settings


def settings(**given):
    device = standin.Device()
    return device, MetavisionCamera(device, CameraSettings(**given))


def test_settings_are_set_and_read_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "metavision_hal", standin.module())
    device, camera = settings(
        biases=(("bias_diff_on", 20),), erc_rate_hz=12_345_678, roi=(320, 0, 640, 720), antiflicker_hz=(60, 200)
    )
    window = device.get_i_roi().window
    assert (window.x, window.y, window.width, window.height, device.get_i_roi().on) == (320, 0, 640, 720, True)
    assert camera.details == (
        "driver Metavision SDK 5.1.1, which does not tell what is lost on the way to it",
        "connection USB, EVT3",
        "bias_diff 0",
        "bias_diff_on 20 (-85 … 140)",
        "bias_diff_off 0 (-35 … 190)",
        "event rate limit 12,345,000 events/s",
        "anti-flicker 60 … 200 Hz",
        "region 320,0,640,720 (as set)",
    )


def test_the_devices_own_band_is_left_as_it_is():
    device, camera = settings(antiflicker_hz=True)
    assert device.get_i_antiflicker_module().on
    assert camera.details[-1] == "anti-flicker 100 … 150 Hz"


def test_what_is_not_asked_for_is_not_touched():
    device, _ = settings()
    assert not device.get_i_erc_module().on
    assert not device.get_i_roi().on
    assert not device.get_i_antiflicker_module().on


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"biases": (("bias_on", 1),)}, "among bias_diff_on, bias_diff_off, found 'bias_on'"),
        ({"biases": (("bias_diff", 1),)}, "among bias_diff_on, bias_diff_off, found 'bias_diff'"),
        ({"biases": (("bias_diff_on", 141),)}, "from -85 to 140, found 141"),
        ({"erc_rate_hz": 30_000_000_000}, "from 0 to 20,971,515,000 events per second"),
        ({"roi": (641, 0, 640, 720)}, "within the 1280×720 px of the sensor, found 641,0,640,720"),
        ({"antiflicker_hz": (49, 60)}, "the lowest frequency of .* from 50 to 520, found 49"),
        ({"antiflicker_hz": (60, 521)}, "the highest frequency of .* from 50 to 520, found 521"),
    ],
)
def test_settings_that_the_device_does_not_have_are_named(given, sentence):
    with pytest.raises(UsageError, match=sentence):
        settings(**given)


@pytest.mark.parametrize(
    "given", [{"biases": (("a", 1),)}, {"erc_rate_hz": 1}, {"roi": (0, 0, 1, 1)}, {"antiflicker_hz": True}]
)
def test_a_device_without_any_says_so(given):
    with pytest.raises(UsageError, match="has none here"):
        MetavisionCamera(standin.Device(bare=True), CameraSettings(**given))


def test_biases_of_an_sdk_that_tells_no_ranges():
    class Old:
        def get_all_biases(self):
            return {"bias_fo": 5}

    assert metavision.ranges(Old()) == {"bias_fo": None}


# ---------------------------------------------------------------- discovery


@pytest.fixture
def sdk(monkeypatch):
    module = standin.module({FULL: standin.Device([standin.RawBuffer(standin.event_cd([7]))])})
    monkeypatch.setitem(sys.modules, "metavision_hal", module)
    return module


def test_cameras_are_found_by_the_end_of_their_serial_number(sdk):
    (found,) = MetavisionDriver().discover()
    assert (found.model, found.serial) == ("Prophesee camera", "00051234")
    assert MetavisionDriver().open_camera("00051234", CameraSettings()).uri == "camera:prophesee/00051234"
    with pytest.raises(NoSuchCamera):
        MetavisionDriver().open_camera("99", CameraSettings())


def test_without_a_camera_there_is_none(sdk):
    sdk.DeviceDiscovery.devices = {}
    assert MetavisionDriver().discover() == []
    with pytest.raises(NoSuchCamera):
        MetavisionDriver().open_camera(None, CameraSettings())


@pytest.mark.parametrize("device", [None, RuntimeError("Camera is busy")])
def test_a_camera_that_can_not_be_opened(sdk, device):
    sdk.DeviceDiscovery.devices = {FULL: device}
    with pytest.raises(DriverError, match=r"busy|could not open"):
        MetavisionDriver().open_camera(None, CameraSettings())


def test_the_sdk_is_the_first_way_and_is_said(sdk, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: sdk if name == "metavision_hal" else None)
    source = open_source("camera:prophesee/00051234", SourceSettings(reconnect=False))
    assert re.search(r"Metavision SDK", source.info.title)
    assert not source.info.counts_losses
    assert source.info.details[0].startswith("driver Metavision SDK 5.1.1")
    packets = []
    with pytest.raises(MissingError, match="the stream ended"):
        packets.extend(source.packets(1000))
    source.close()


@pytest.mark.skipif(has_sdk, reason="the Metavision SDK is installed here")
def test_without_the_sdk_it_is_said_where_it_comes_from():
    with pytest.raises(MissingError, match=r"docs\.prophesee\.ai.*PYTHONPATH"):
        MetavisionDriver().discover()

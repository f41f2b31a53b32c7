"""The installed neuromorphic-drivers: what it has that is used, its answers without a camera, and a stand-in device."""

from __future__ import annotations

import dataclasses
import inspect
from types import SimpleNamespace

import neuromorphic_drivers as nd
import numpy as np
import pytest

from spikebridge.errors import UsageError
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras import neuromorphic
from spikebridge.sources.cameras.access import usb_devices
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoSuchCamera, NoUsb
from spikebridge.sources.cameras.neuromorphic import MODELS, NeuromorphicCamera, NeuromorphicDriver, configuration

ALL = {name: module for models in MODELS.values() for name, module in models.items()}
EVENTS = np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")])


# ---------------------------------------------------------------- the installed package


def test_models_are_those_of_the_package():
    assert set(ALL) == {
        "PROPHESEE_EVK4", "PROPHESEE_EVK3_HD", "CENTURYARKS_VGA", "INIVATION_DVXPLORER", "INIVATION_DAVIS346",
    }  # fmt: skip
    # The Lucid Triton hangs on the network, not on the USB.
    assert {name.name for name in nd.Name} - set(ALL) == {"LUCID_TRITON"}


def test_enumerations_of_the_package():
    assert [(name.name, name.value) for name in nd.Name][2:4] == [
        ("PROPHESEE_EVK3_HD", "Prophesee EVK3 HD"),
        ("PROPHESEE_EVK4", "Prophesee EVK4"),
    ]
    assert nd.Connection.USB_HIGH.value == "USB 2.0 High Speed (480 Mb/s)"
    assert nd.Connection.USB_SUPER.value == "USB 3.0 SuperSpeed (5.0 Gb/s)"


def test_signatures_of_the_package():
    assert {"serial", "iterator_timeout", "ring_configuration"} <= set(inspect.signature(nd.open).parameters)
    assert not inspect.signature(nd.list_devices).parameters
    assert [field.name for field in dataclasses.fields(nd.ListedDevice)] == [
        "name", "connection", "address", "serial", "error",
    ]  # fmt: skip
    assert {"raw_packets", "dropped_packets"} <= {f.name for f in dataclasses.fields(nd.status.RingStatus)}
    assert "ring" in {field.name for field in dataclasses.fields(nd.status.Status)}


@pytest.mark.parametrize("name", [name for name in dir(neuromorphic.Device) if not name.startswith("_")])
def test_devices_of_the_package_have_what_is_called(name):
    assert callable(getattr(nd.device.Device, name))


BIASES = {
    "PROPHESEE_EVK4": "pr fo hpf diff_on diff diff_off inv refr reqpuy reqpux sendreqpdy unknown_1 unknown_2",
    "PROPHESEE_EVK3_HD": "pr fo_p fo_n hpf diff_on diff diff_off refr reqpuy blk",
    "CENTURYARKS_VGA": "diff_on diff diff_off fo hpf pr refr",
    "INIVATION_DVXPLORER": "amp on off sf nrst log log_a log_d",
    "INIVATION_DAVIS346": "localbufbn padfollbn diffbn onbn offbn pixinvbn prbp prsfbp refrbp readoutbufbp apsrosfbn "
    "adccompbp colsellowbn dacbufbp lcoltimeoutbn aepdbn aepuxbp aepuybp ifrefrbn ifthrbn biasbuffer",
}


@pytest.mark.parametrize("name", ALL)
def test_configurations_of_the_package(name):
    kind = getattr(nd, ALL[name])
    assert [field.name for field in dataclasses.fields(kind.Biases)] == BIASES[name].split()
    assert kind.RingConfiguration(ring_length=64).buffer_length == 131_072
    assert kind.RingConfiguration().parallel_submissions < neuromorphic.RING_LENGTH


def test_what_the_models_have():
    def has(name):
        return {field.name for field in dataclasses.fields(getattr(nd, ALL[name]).Configuration)} & {
            "rate_limiter", "x_mask", "y_mask", "region_of_interest",
        }  # fmt: skip

    assert has("PROPHESEE_EVK4") == has("PROPHESEE_EVK3_HD") == {"rate_limiter", "x_mask", "y_mask"}
    assert has("INIVATION_DAVIS346") == {"region_of_interest"}
    assert has("INIVATION_DVXPLORER") == set()


def plugged():
    try:
        return bool(nd.list_devices())
    except RuntimeError:
        return False


@pytest.mark.parametrize("family", MODELS)
def test_without_a_camera_the_real_package_says_so(family):
    if plugged():
        pytest.skip("a camera is plugged in here")
    driver = NeuromorphicDriver(family)
    if usb_devices() is None:
        with pytest.raises(NoUsb, match=r"^Other error$"):  # libusb's
            driver.discover()
    else:
        assert driver.discover() == []
    with pytest.raises(NoSuchCamera):
        driver.open_camera(None, CameraSettings())
    with pytest.raises(NoSuchCamera):
        driver.open_camera("00051234", CameraSettings())


# ---------------------------------------------------------------- settings


def configured(name="PROPHESEE_EVK4", **given):
    return configuration(nd, getattr(nd, ALL[name]), name, CameraSettings(**given))


def test_biases_go_into_the_configuration_and_the_rest_stays():
    ours = configured(biases=(("diff_on", 20),))
    assert ours == nd.prophesee_evk4.Configuration(biases=nd.prophesee_evk4.Biases(diff_on=20))
    assert configured() == nd.prophesee_evk4.Configuration()
    assert isinstance(ours.serialize(), bytes)


def test_a_rate_is_a_count_in_each_200_us():
    limiter = configured(erc_rate_hz=10_000_000).rate_limiter
    assert (limiter.reference_period_us, limiter.maximum_events_per_period) == (200, 2000)


def test_a_region_of_a_prophesee_camera_is_the_rest_masked():
    """In the picture as the package itself draws a mask: rows from the top."""
    ours = configured(roi=(100, 30, 50, 40))
    mask = nd.RowColumnMask(width=1280, height=720, set=True)
    mask.x_unpacked[:] = np.unpackbits(np.array(ours.x_mask, "<u8").view(np.uint8), bitorder="little")[:1280]
    mask.y_unpacked[:] = np.unpackbits(np.array(ours.y_mask, "<u8").view(np.uint8), bitorder="little")[:720]
    seen = np.zeros((720, 1280), bool)
    seen[30:70, 100:150] = True
    assert np.array_equal(mask.pixels(), seen)
    assert ours.mask_intersection_only is False
    assert isinstance(ours.serialize(), bytes)


def test_a_region_of_a_davis_is_a_rectangle():
    region = configured("INIVATION_DAVIS346", roi=(10, 20, 300, 200)).region_of_interest
    assert (region.left, region.top, region.width, region.height) == (10, 20, 300, 200)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("PROPHESEE_EVK4", {"biases": (("bias_fo", 1),)}, "among pr, fo, hpf, .*, found 'bias_fo'"),
        ("PROPHESEE_EVK4", {"antiflicker_hz": True}, "--antiflicker.*has none here.*Metavision SDK"),
        ("PROPHESEE_EVK4", {"erc_rate_hz": 4999}, "from 5,000 to 20,971,515,000 events per second, found 4,999"),
        ("PROPHESEE_EVK4", {"roi": (0, 700, 10, 21)}, "within the 1280×720 px"),
        ("INIVATION_DAVIS346", {"erc_rate_hz": 10**6}, "--erc-rate.*has none here.*--filter"),
        ("INIVATION_DVXPLORER", {"roi": (0, 0, 10, 10)}, "--roi.*has none here"),
    ],
)
def test_what_a_model_does_not_have_is_named(name, given, sentence):
    with pytest.raises(UsageError, match=sentence):
        configured(name, **given)


# ---------------------------------------------------------------- an open device


class StandInDevice:
    """The calls of ``neuromorphic.Device`` and nothing more; what it gives is scripted."""

    def __init__(self, *script, bounds=None):
        self.script = list(script)
        self.bounds = bounds or nd.prophesee_evk4.BiasesBounds(diff_on=nd.prophesee_evk4.Bounds(-85, 140))
        self.configured, self.closed = [], 0

    def __iter__(self):
        return self

    def __next__(self):
        next_one = self.script.pop(0) if self.script else (0, 0, None)
        if isinstance(next_one, Exception):
            raise next_one
        packets, dropped, times = next_one
        ring = None if not packets else nd.status.RingStatus(0.0, 0, packets, False, 0, dropped)
        events = None if times is None else np.array([(t, 1, 2, True) for t in times], EVENTS)
        return nd.status.Status(0.0, ring), None if times is None else SimpleNamespace(polarity_events=events)

    def name(self):
        return nd.Name.PROPHESEE_EVK4

    def serial(self):
        return "00051234"

    def properties(self):
        return nd.prophesee_evk4.Properties()

    def connection(self):
        return nd.Connection.USB_SUPER

    def biases_bounds(self):
        return self.bounds

    def update_configuration(self, configuration):
        self.configured.append(configuration)

    def close(self):
        self.closed += 1


def camera_of(*script, **given):
    device = StandInDevice(*script)
    settings = CameraSettings(**given)
    return NeuromorphicCamera(device, "prophesee", configured(**given), settings), device


def test_the_stand_in_has_these_calls_and_nothing_more():
    calls = {name for name in dir(neuromorphic.Device) if not name.startswith("_")}
    assert {name for name in vars(StandInDevice) if not name.startswith("_")} == calls


def test_a_device_gives_its_events():
    camera, device = camera_of((0, 0, None), (1, 0, [5, 6]), (1, 0, []))
    assert camera.read() is None
    events = camera.read()
    assert [events[name].tolist() for name in ("t", "x", "y", "polarity")] == [[5, 6], [1, 1], [2, 2], [1, 1]]
    assert camera.read() is None
    assert camera.uri == "camera:prophesee/00051234"
    assert camera.title == "Prophesee EVK4 00051234 (neuromorphic-drivers)"
    assert (camera.sensor.width, camera.sensor.height) == (1280, 720)
    assert not device.configured
    camera.close()
    camera.close()
    assert device.closed == 1
    assert camera.read() is None


def test_a_camera_that_is_gone_is_an_os_error():
    camera, _ = camera_of(RuntimeError("PropheseeEvk4(Usb(Rusb(NoDevice)))"))
    with pytest.raises(OSError, match="NoDevice"):
        camera.read()


def test_packets_that_the_driver_dropped_become_events():
    """3 packets with 3 events each and 4 dropped: 12 events; then one more, when 21 events had come in 4 packets: 5."""
    camera, _ = camera_of((1, 0, [1, 2, 3]), (1, 0, [4, 5, 6]), (1, 4, [7, 8, 9]), (1, 5, 12 * [9]), (1, 5, [10]))
    for _ in range(2):
        camera.read()
    assert camera.report().dropped == 0
    assert camera.report().notes == ()
    camera.read()
    assert camera.report().dropped == 12
    camera.read()
    assert camera.report().dropped == 12 + 5
    camera.read()
    assert camera.report().dropped == 17
    assert camera.report().notes[0].startswith("the driver threw 5 USB packets away")
    assert "about 17 events (estimated" in camera.report().notes[0]
    assert camera.counts_losses


def test_settings_are_written_after_the_ranges_were_looked_at():
    camera, device = camera_of(biases=(("diff_on", 20),), erc_rate_hz=1_000_000)
    assert [c.biases.diff_on for c in device.configured] == [20]
    assert "diff_on 20 (-85 … 140)" in camera.details
    assert "event rate limit 1,000,000 events/s" in camera.details
    assert camera.details[0].startswith("driver neuromorphic-drivers 0.18")
    assert camera.details[1] == "connection USB 3.0 SuperSpeed (5.0 Gb/s)"


def test_a_bias_outside_the_devices_range_is_refused_and_the_device_closed():
    device = StandInDevice()
    with pytest.raises(UsageError, match=r"diff_on of Prophesee EVK4 .* from -85 to 140, found 141"):
        NeuromorphicCamera(
            device, "prophesee", configured(biases=(("diff_on", 141),)), CameraSettings(biases=(("diff_on", 141),))
        )
    assert device.closed == 1
    assert not device.configured


# ---------------------------------------------------------------- discovery


def listed(monkeypatch, *devices):
    monkeypatch.setattr(nd, "list_devices", lambda: list(devices))


def evk4(serial, error=None):
    return nd.ListedDevice(nd.Name.PROPHESEE_EVK4, nd.Connection.USB_HIGH, "1", serial, error)


def test_cameras_of_the_family_are_found(monkeypatch):
    davis = nd.ListedDevice(nd.Name.INIVATION_DAVIS346, nd.Connection.USB_SUPER, "2", "D1", None)
    listed(monkeypatch, davis, evk4("A"), evk4(None, "Access denied"))
    assert NeuromorphicDriver("prophesee").discover() == [
        FoundCamera("Prophesee EVK4", "A", "USB 2.0 High Speed (480 Mb/s)"),
        FoundCamera("Prophesee EVK4", "", "USB 2.0 High Speed (480 Mb/s)", "Access denied"),
    ]
    assert [camera.serial for camera in NeuromorphicDriver("inivation").discover()] == ["D1"]


def test_one_that_can_be_opened_comes_first(monkeypatch):
    listed(monkeypatch, evk4(None, "Access denied"), evk4("B"))
    opened = []
    monkeypatch.setattr(nd, "open", lambda **given: opened.append(given) or StandInDevice())
    NeuromorphicDriver("prophesee").open_camera(None, CameraSettings())
    assert opened[0]["serial"] == "B"
    assert opened[0]["iterator_timeout"] == 0.0
    assert opened[0]["ring_configuration"].ring_length == 64


def test_what_the_driver_says_is_handed_on(monkeypatch):
    listed(monkeypatch, evk4("A", "the device is already used by another program"))
    with pytest.raises(DriverError, match="already used"):
        NeuromorphicDriver("prophesee").open_camera("A", CameraSettings())
    listed(monkeypatch, evk4("A"))

    def refuse(**given):
        raise RuntimeError("Firmware version not supported")

    monkeypatch.setattr(nd, "open", refuse)
    with pytest.raises(DriverError, match="Firmware"):
        NeuromorphicDriver("prophesee").open_camera(None, CameraSettings())

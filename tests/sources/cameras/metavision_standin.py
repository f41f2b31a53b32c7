"""A stand-in for a camera of the Metavision SDK: the calls of ``metavision_calls`` and nothing more.

``test_metavision`` holds it against the signatures recorded from OpenEB 5.1.1, and against the SDK itself where
it can be imported.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

#: As ``metavision_sdk_base.EventCD``.
EVENT_CD = np.dtype({"names": ["x", "y", "p", "t"], "formats": ["<u2", "<u2", "<i2", "<i8"], "offsets": [0, 2, 4, 8]})


def event_cd(times, x=0, y=0, p=1):
    events = np.zeros(len(times), EVENT_CD)
    events["t"], events["x"], events["y"], events["p"] = times, x, y, p
    return events


class RawBuffer:
    """Since 5.0."""

    def __init__(self, events, n_bytes=None):
        self.events = events
        self._n_bytes = 4 * len(events) if n_bytes is None else n_bytes

    def size(self):
        return self._n_bytes


class Geometry:
    def get_width(self):
        return 1280

    def get_height(self):
        return 720


class Hardware:
    def get_serial(self):
        return "00051234"

    def get_integrator(self):
        return "Prophesee"

    def get_sensor_info(self):
        return SimpleNamespace(name="IMX636")

    def get_connection_type(self):
        return "USB"

    def get_current_data_encoding_format(self):
        return "EVT3"


class Software:
    def get_software_info(self):
        return SimpleNamespace(get_version=lambda: "5.1.1")


class Stream:
    """``script``: buffers, 0 for "nothing yet", and errors, in the order in which they come; then the end."""

    def __init__(self, script):
        self.script = list(script)
        self.running = False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False

    def poll_buffer(self):
        if not self.script:
            return -1
        if isinstance(self.script[0], int):
            return self.script.pop(0)
        if isinstance(self.script[0], Exception):
            raise self.script.pop(0)
        return 1

    def get_latest_raw_data(self):
        return self.script.pop(0)


class Events:
    def __init__(self):
        self.callbacks = []

    def add_event_buffer_callback(self, callback):
        self.callbacks.append(callback)
        return len(self.callbacks)


class Decoder:
    """Gives out the events that a buffer holds, as the SDK does, in one call or several."""

    def __init__(self, events):
        self._events = events

    def decode(self, raw):
        for callback in self._events.callbacks:
            callback(getattr(raw, "events", raw))


class BiasInfo:
    def __init__(self, limits, modifiable):
        self._limits, self._modifiable = limits, modifiable

    def get_bias_range(self):
        return self._limits

    def is_modifiable(self):
        return self._modifiable


class Biases:
    def __init__(self):
        self.values = {"bias_diff": 0, "bias_diff_on": 0, "bias_diff_off": 0}

    def get_all_biases(self):
        return dict(self.values)

    def get_bias_info(self, name):
        return BiasInfo((-85, 140) if name == "bias_diff_on" else (-35, 190), name != "bias_diff")

    def set(self, name, value):
        self.values[name] = value
        return True


class EventRateController:
    def __init__(self):
        self.on, self.hz = False, 20_000_000

    def enable(self, on):
        self.on = on
        return True

    def is_enabled(self):
        return self.on

    def set_cd_event_rate(self, hz):
        # The device counts in periods: what it gives back is not always what it was given.
        self.hz = hz // 5000 * 5000
        return True

    def get_cd_event_rate(self):
        return self.hz

    def get_min_supported_cd_event_rate(self):
        return 0

    def get_max_supported_cd_event_rate(self):
        return 20_971_515_000


class Region:
    def __init__(self):
        self.on, self.window = False, None

    def set_window(self, window):
        self.window = window
        return True

    def enable(self, on):
        self.on = on
        return True


class AntiFlicker:
    def __init__(self):
        self.on, self.band = False, (100, 150)

    def enable(self, on):
        self.on = on
        return True

    def is_enabled(self):
        return self.on

    def set_frequency_band(self, lowest_hz, highest_hz):
        self.band = lowest_hz, highest_hz
        return True

    def get_band_low_frequency(self):
        return self.band[0]

    def get_band_high_frequency(self):
        return self.band[1]

    def get_min_supported_frequency(self):
        return 50

    def get_max_supported_frequency(self):
        return 520


class Device:
    """``script`` : of its stream. bare : without anything that can be set, as a recording."""

    def __init__(self, script=(), *, bare=False):
        self._parts = {
            "stream": Stream(script), "events": Events(), "biases": None if bare else Biases(),
            "erc": None if bare else EventRateController(), "roi": None if bare else Region(),
            "antiflicker": None if bare else AntiFlicker(),
        }  # fmt: skip

    def get_i_geometry(self):
        return Geometry()

    def get_i_hw_identification(self):
        return Hardware()

    def get_i_hal_software_info(self):
        return Software()

    def get_i_events_stream(self):
        return self._parts["stream"]

    def get_i_events_stream_decoder(self):
        return Decoder(self._parts["events"])

    def get_i_event_cd_decoder(self):
        return self._parts["events"]

    def get_i_ll_biases(self):
        return self._parts["biases"]

    def get_i_erc_module(self):
        return self._parts["erc"]

    def get_i_roi(self):
        return self._parts["roi"]

    def get_i_antiflicker_module(self):
        return self._parts["antiflicker"]


class Discovery:
    """``devices`` : by full serial number; None for one that can't be opened, an error for one that says why."""

    def __init__(self, devices):
        self.devices = devices

    def list(self):
        return [*self.devices]

    def open(self, serial):
        device = self.devices[serial]
        if isinstance(device, Exception):
            raise device
        return device


def module(devices=()):
    """Stands for ``metavision_hal``."""

    def window(x, y, width, height):
        return SimpleNamespace(x=x, y=y, width=width, height=height)

    return SimpleNamespace(DeviceDiscovery=Discovery(dict(devices)), I_ROI=SimpleNamespace(Window=window))

"""The calls of ``metavision_hal`` that are used, and no others; the same from 4.5 to 5.1, older ones as noted.

As of the bindings in hal/python/bindings of OpenEB 4.0.0 to 5.1.1. Facilities are None where a device has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from spikebridge.events import EventArray


class Discovery(Protocol):
    """``DeviceDiscovery``, whose calls are static."""

    def list(self) -> Sequence[str]:
        """``integrator:plugin:serial`` of each."""
        ...

    def open(self, serial: str) -> Device | None:
        """None where it can't be opened; the reason goes to standard error."""
        ...


class Geometry(Protocol):
    """``I_Geometry``."""

    def get_width(self) -> int: ...

    def get_height(self) -> int: ...


class SensorInfo(Protocol):
    name: str


class Hardware(Protocol):
    """``I_HW_Identification``."""

    def get_serial(self) -> str: ...

    def get_integrator(self) -> str: ...

    def get_sensor_info(self) -> SensorInfo: ...

    def get_connection_type(self) -> str: ...

    def get_current_data_encoding_format(self) -> str: ...


class Version(Protocol):
    def get_version(self) -> str: ...


class Software(Protocol):
    """``I_HALSoftwareInfo``."""

    def get_software_info(self) -> Version: ...


class Stream(Protocol):
    """``I_EventsStream``."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def poll_buffer(self) -> int:
        """1 where something waits, 0 where nothing does yet, -1 at the end."""
        ...

    def get_latest_raw_data(self) -> object:
        """The oldest buffer: an array up to 4.4, a list of bytes up to 4.6, an object with ``size()`` since."""
        ...


class Decoder(Protocol):
    """``I_Decoder``."""

    def decode(self, raw: object) -> None: ...


class Events(Protocol):
    """``I_EventDecoder_EventCD``: the callback gets a copy, with fields x, y, p and t."""

    def add_event_buffer_callback(self, callback: Callable[[EventArray], None]) -> int: ...


class BiasInfo(Protocol):
    """``LL_Bias_Info``, since 4.1."""

    def get_bias_range(self) -> tuple[int, int]: ...

    def is_modifiable(self) -> bool: ...


class Biases(Protocol):
    """``I_LL_Biases``."""

    def get_all_biases(self) -> dict[str, int]: ...

    def get_bias_info(self, name: str) -> BiasInfo: ...

    def set(self, name: str, value: int) -> bool: ...


class EventRateController(Protocol):
    """``I_ErcModule``."""

    def enable(self, on: bool) -> bool: ...

    def is_enabled(self) -> bool: ...

    def set_cd_event_rate(self, hz: int) -> bool: ...

    def get_cd_event_rate(self) -> int: ...

    def get_min_supported_cd_event_rate(self) -> int: ...

    def get_max_supported_cd_event_rate(self) -> int: ...


class Region(Protocol):
    """``I_ROI``."""

    def set_window(self, window: object) -> bool:
        """An ``I_ROI.Window`` of x, y, width, height."""
        ...

    def enable(self, on: bool) -> bool: ...


class AntiFlicker(Protocol):
    """``I_AntiFlickerModule``."""

    def enable(self, on: bool) -> bool: ...

    def is_enabled(self) -> bool: ...

    def set_frequency_band(self, lowest_hz: int, highest_hz: int) -> bool: ...

    def get_band_low_frequency(self) -> int: ...

    def get_band_high_frequency(self) -> int: ...

    def get_min_supported_frequency(self) -> int: ...

    def get_max_supported_frequency(self) -> int: ...


class Device(Protocol):
    """``Device``."""

    def get_i_geometry(self) -> Geometry: ...

    def get_i_hw_identification(self) -> Hardware: ...

    def get_i_hal_software_info(self) -> Software: ...

    def get_i_events_stream(self) -> Stream: ...

    def get_i_events_stream_decoder(self) -> Decoder: ...

    def get_i_event_cd_decoder(self) -> Events: ...

    def get_i_ll_biases(self) -> Biases | None: ...

    def get_i_erc_module(self) -> EventRateController | None: ...

    def get_i_roi(self) -> Region | None: ...

    def get_i_antiflicker_module(self) -> AntiFlicker | None: ...

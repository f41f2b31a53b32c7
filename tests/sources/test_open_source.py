from __future__ import annotations

import math
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import spikebridge
from recording_files import aedat2, dvs128_words, random_events, same, write
from spikebridge.errors import InputError, UsageError
from spikebridge.settings import CameraSettings, SourceSettings
from spikebridge.sources import open_source


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> type:
    class SimulatedCamera:
        def __init__(self, gesture: object = None, seed: object = None, paced: bool = True) -> None:
            self.arguments = (gesture, seed, paced)

    module = types.ModuleType("spikebridge.simulator.camera")
    module.SimulatedCamera = SimulatedCamera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spikebridge.simulator", types.ModuleType("spikebridge.simulator"))
    monkeypatch.setitem(sys.modules, "spikebridge.simulator.camera", module)
    return SimulatedCamera


def test_the_simulated_camera(simulator: type) -> None:
    assert open_source("sim:").arguments == (None, None, True)  # type: ignore[attr-defined]
    opened = open_source("sim:air_drums", SourceSettings(seed=3, speed=math.inf))
    assert opened.arguments == ("air_drums", 3, False)  # type: ignore[attr-defined]


def test_what_the_simulated_camera_cannot_do(simulator: type) -> None:
    with pytest.raises(UsageError, match="air_guitar"):
        open_source("sim:air_guitarr")
    with pytest.raises(UsageError, match="speed 1 or max"):
        open_source("sim:", SourceSettings(speed=2))


@pytest.mark.parametrize("uri", ["net:", "net:host", "net:host:port", "net:host:0", "net::99", "net:host:70000"])
def test_a_network_address_that_is_none(uri: str) -> None:
    with pytest.raises(UsageError, match="net:host:port"):
        open_source(uri)


@pytest.mark.parametrize("uri", ["camra:", "sim", "camera", "recordings/typo.aedat", "metavision:0001"])
def test_a_typo_opens_nothing(uri: str) -> None:
    with pytest.raises(InputError, match="found nothing there"):
        open_source(uri)


def test_open_yields_packets(tmp_path: Path) -> None:
    events = random_events(500)
    path = write(tmp_path, aedat2(b"DVS128", dvs128_words(events)))
    with spikebridge.open(path) as packets:
        assert next(packets).t_stop_us - int(events["t"][0]) == 10_000
    with spikebridge.open(str(path), step_us=1000) as packets:
        found = list(packets)
    assert {packet.t_stop_us - packet.t_start_us for packet in found} == {1000}
    assert same(np.concatenate([packet.events for packet in found]), events)


@pytest.mark.parametrize("uri", ["sim:", "wave.aedat", "net:localhost:7777"])
def test_settings_of_a_camera_are_for_cameras_only(uri):
    settings = SourceSettings(camera=CameraSettings(erc_rate_hz=5))
    with pytest.raises(UsageError, match=f"expected a camera for --bias, .*, found '{uri}'; leave them out"):
        open_source(uri, settings)

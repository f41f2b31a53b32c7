from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest

from bundles import spiking_network, write_ordinary_bundle, write_spiking_bundle
from small_recordings import moving_column, write_aedat31
from spikebridge.bundle import Bundle, load_model
from spikebridge.errors import InputError, UsageError
from spikebridge.run.opening import name_lanes, open_chain, open_pipeline
from spikebridge.settings import LaneSettings, RunSettings, SnnSettings, SourceSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ordinary_bundle(tmp_path / "tiny")


@pytest.fixture
def bundle(folder: Path) -> Bundle:
    return load_model(folder)


def names(bundle: Bundle, *lanes: LaneSettings) -> list[str]:
    return name_lanes(lanes, [bundle] * len(lanes))


def test_a_lane_is_named_after_its_bundle_or_by_the_user(bundle: Bundle) -> None:
    assert names(bundle, LaneSettings("x")) == ["tiny"]
    assert names(bundle, LaneSettings("x", "mine"), LaneSettings("x")) == ["mine", "tiny"]


def test_what_tells_two_lanes_apart_is_in_their_names(bundle: Bundle) -> None:
    lava = LaneSettings("x", snn=SnnSettings("lava"))
    assert names(bundle, LaneSettings("x"), lava) == ["tiny emulator", "tiny lava"]
    cuda = LaneSettings("x", ann="cuda")
    assert names(bundle, LaneSettings("x"), cuda) == ["tiny cpu", "tiny cuda"]
    window = LaneSettings("x", mode="window")
    assert names(bundle, LaneSettings("x"), window) == ["tiny stream", "tiny window"]
    assert names(bundle, LaneSettings("x"), lava, window) == [
        "tiny emulator stream",
        "tiny lava",
        "tiny emulator window",
    ]
    assert names(bundle, LaneSettings("x"), LaneSettings("x")) == ["tiny", "tiny #2"]


def test_a_pipeline_is_ready_to_start(folder: Path, tmp_path: Path) -> None:
    clip = write_aedat31(tmp_path / "clip.aedat", moving_column())
    spiking = write_spiking_bundle(tmp_path / "spiking", spiking_network())
    settings = RunSettings(
        (LaneSettings(str(folder)), LaneSettings(str(spiking), mode="window", fit="full")), SourceSettings(math.inf)
    )
    pipeline = open_pipeline(str(clip), settings)
    first, second = pipeline.lanes
    assert (first.name, second.name) == ("tiny", "spiking")
    assert first.chain.snn is None
    assert second.chain.snn is not None
    assert (first.chain.mode, second.chain.mode) == ("stream", "window")
    assert (first.chain.binner.input.fit, second.chain.binner.input.fit) == ("center", "full")
    found = [item for item in pipeline.decisions() if item is not None]
    assert [lane for lane, _ in found].count(0) == 30
    assert [lane for lane, _ in found].count(1) == 7


@pytest.mark.parametrize(
    ("model", "ann", "error"), [("no such", "cpu", InputError), ("{tiny}", "gpu?", UsageError)]
)  # fmt: skip
def test_nothing_stays_open_when_it_fails(
    folder: Path, tmp_path: Path, model: str, ann: str, error: type[Exception]
) -> None:
    clip = write_aedat31(tmp_path / "clip.aedat", moving_column())
    before = set(threading.enumerate())
    lanes = (LaneSettings(str(folder)), LaneSettings(model.format(tiny=folder), ann=ann))
    with pytest.raises(error):
        open_pipeline(str(clip), RunSettings(lanes))
    assert set(threading.enumerate()) <= before


def test_a_chain_alone(bundle: Bundle) -> None:
    from spikebridge.events import Sensor

    chain = open_chain(LaneSettings(mode="window"), bundle, Sensor(8, 8))
    assert (chain.mode, chain.snn) == ("window", None)
    chain.close()

"""The code paths of Loihi 2, on a stand-in with the calls of lava-loihi and nothing more. No Loihi is involved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from lava_workers import small_network, standin_options

from spikebridge.contracts import Energy, PowerReading, SnnActivity
from spikebridge.errors import MissingError, UsageError
from spikebridge.settings import LoihiBoard
from spikebridge.snn import Network
from spikebridge.snn.lava import LavaStage, Loihi2Meter

#: A file and what is in it.
Described: TypeAlias = tuple[Path, Network]
SHAPE = (2, 10, 12)
EVENTS = np.ones(SHAPE, np.uint8)
SILENCE = np.zeros(SHAPE, np.uint8)


@pytest.fixture
def network(tmp_path: Path) -> Described:
    return small_network(tmp_path)


@pytest.fixture
def stage(network: Described) -> Iterator[LavaStage]:
    with LavaStage(*network, standin_options()) as stage:
        yield stage


def test_name_is_the_boards(stage: LavaStage) -> None:
    assert stage.name == "Loihi 2"


@pytest.mark.parametrize("fault", ["", "no-adapters"])
def test_spikes_pass_with_a_step_for_each_layer(
    network: Described, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the adapters, and from the injector and to the extractor where there are none."""
    monkeypatch.setenv("STANDIN_LAVA", fault)
    with LavaStage(*network, standin_options()) as stage:
        outputs = [int(stage.step(counts).any()) for counts in (EVENTS, SILENCE, SILENCE, SILENCE, SILENCE)]
    assert outputs == [0, 0, 0, 1, 0]


def test_reset_lets_spikes_in_flight_arrive_and_clears_states(stage: LavaStage) -> None:
    stage.step(EVENTS)
    stage.step(EVENTS)
    assert any(u.any() for u, _ in stage.read_state())
    stage.reset()
    assert not any(u.any() or v.any() for u, v in stage.read_state())
    assert not any(stage.step(SILENCE).any() for _ in range(5))


def test_power_is_unavailable_before_and_measured_after_a_step(stage: LavaStage) -> None:
    meter = stage.meter()
    assert isinstance(meter, Loihi2Meter)
    (before,) = meter.read()
    assert (before.watts, before.provenance) == (None, "unavailable")
    assert meter.chip_step_us is None
    stage.step(EVENTS)
    total, *rails = meter.read()
    assert total == PowerReading("loihi", pytest.approx(0.2), "measured", total.scope, whole=True, static_w=0.15)
    assert rails == [
        PowerReading("loihi VDD", pytest.approx(0.12), "measured", "neuro cores, mean of the last step"),
        PowerReading("loihi VDDM", pytest.approx(0.06), "measured", "memory, mean of the last step"),
        PowerReading("loihi VDDIO", pytest.approx(0.02), "measured", "input and output, mean of the last step"),
    ]
    assert meter.chip_step_us == 153.0


def test_energy_by_hand(stage: LavaStage) -> None:
    """0.2 W of which 0.15 W are static; 153 µs of a step on the chip, ten steps of 10 ms behind two decisions."""
    meter = stage.meter()
    activity = SnnActivity(10, 0, ())
    assert meter.energy(activity, 10_000, 2) == Energy(None, "unavailable")
    stage.step(EVENTS)
    energy = meter.energy(activity, 10_000, 2)
    assert energy.activity_mj == energy.dynamic_mj == pytest.approx(0.05 * 0.153 * 5)
    assert energy.static_mj == pytest.approx(0.15 * 50)
    assert (energy.provenance, energy.static_source) == ("measured", "measured by the board's profiler")
    assert meter.energy(activity, 10_000, 0) == Energy(None, "unavailable")
    assert meter.cost(stage.activity(), 10_000) is None


@pytest.mark.parametrize("fault", ["", "no-profilers"])
def test_without_profilers_nothing_is_made_up(network: Described, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where the user does without them nor where they are not installed."""
    monkeypatch.setenv("STANDIN_LAVA", fault)
    options = standin_options(board=LoihiBoard(profile=bool(fault)))
    with LavaStage(*network, options) as stage:
        stage.step(EVENTS)
        assert stage.figures == {}
        assert [reading.provenance for reading in stage.meter().read()] == ["unavailable"]


def test_counts_what_the_board_shows(stage: LavaStage) -> None:
    for counts in (EVENTS, SILENCE, SILENCE, SILENCE):
        stage.step(counts)
    activity = stage.activity()
    assert (activity.steps, activity.input_events, activity.layers[-1].spikes) == (4, EVENTS.size, 7)
    assert activity.layers[0].synaptic_events > 0
    assert activity.layers[0].spikes == 0


@pytest.mark.parametrize("fault", ["no-package", "no-board"])
def test_refused_with_what_is_missing_and_who_gives_access(
    network: Described, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_LAVA", fault)
    with LavaStage(*network, standin_options()) as stage, pytest.raises(MissingError, match="INRC") as raised:
        stage.wait_ready()
    assert {"no-package": "lava-loihi", "no-board": "SLURM controller"}[fault] in str(raised.value)


def test_ethernet_host(network: Described) -> None:
    for address, reachable in (("10.0.0.7", True), ("10.0.0.8", False)):
        options = standin_options(board=LoihiBoard(host="ethernet", address=address))
        with LavaStage(*network, options) as stage:
            if reachable:
                stage.wait_ready()
            else:
                with pytest.raises(MissingError, match=r"ethernet.*10\.0\.0\.8"):
                    stage.wait_ready()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "ethernet"}, "address"),
        ({"partition": "oheogulch", "board": "ncl-og-04"}, "found both"),
        ({"generation": "N9"}, "N3B3"),
    ],
)
def test_contradictory_settings_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        LoihiBoard(**settings)  # type: ignore[arg-type]

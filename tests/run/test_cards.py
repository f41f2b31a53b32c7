"""The five cards, each figure by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from run.steps import decided, step
from spikebridge.bundle import Bundle, SnnSpec, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Energy, PowerReading, SourceInfo
from spikebridge.events import Sensor
from spikebridge.run.cards import CardBuilder
from spikebridge.run.tally import Tally
from spikebridge.settings import Mode
from spikebridge.snapshot import Counters, StageCard
from spikebridge.stages import CARDS, CardKey
from spikebridge.testing import DelayedCopy, FixedAnn

SENSOR = Sensor(8, 8, "DVX")
SIMULATED = SourceInfo("sim:", "Simulated camera", "simulated", SENSOR)
ENERGY = {
    "bin": Energy(1.0, "estimated"),
    "snn": Energy(2.0, "estimated", 4.0, 8.0, "a board"),
    "accumulator": Energy(16.0, "estimated"),
    "ann": Energy(32.0, "measured"),
    "decision": Energy(64.0, "estimated"),
}
CHIP = (
    PowerReading("VDD", 0.5, "measured", "cores"),
    PowerReading("chip", 0.25, "measured", "all of it", whole=True),
)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """T = 4, I = 2 on 2×8×8 spikes, so features of 4×8×8."""
    return dataclasses.replace(
        load_model(write_ordinary_bundle(tmp_path / "b")), snn=SnnSpec(tmp_path / "snn.net", 3, 3, (2, 8, 8))
    )


def make_chain(bundle: Bundle, mode: Mode = "stream", spiking: bool = True, sensor: Sensor = SENSOR) -> Chain:
    return Chain(bundle, DelayedCopy((2, 8, 8)) if spiking else None, FixedAnn(np.zeros(11, np.float32)), sensor, mode)


def cards_after_a_second(
    chain: Chain, source: SourceInfo = SIMULATED, chip: tuple[PowerReading, ...] = CHIP
) -> dict[CardKey, StageCard]:
    """400 events, 50 steps and 10 decisions in one second; the spiking stage gave 30 spikes."""
    tally = Tally(chain.bundle.decision.labels)
    tally.add(step(decided()))
    builder = CardBuilder(chain, source, tally)
    counters = Counters(packets_done=100, events_done=1000, decisions=5)
    builder.build(counters, tally.stage_latency(), ENERGY, chip, 0)
    if isinstance(chain.snn, DelayedCopy):
        chain.snn._spikes += 30
    counters = Counters(packets_done=150, events_done=1400, decisions=15)
    cards = builder.build(counters, tally.stage_latency(), ENERGY, chip, 1_000_000_000)
    assert tuple(card.key for card in cards) == CARDS
    return {card.key: card for card in cards}


def test_rates_and_bytes_of_each_card(bundle: Bundle) -> None:
    """5 bytes an event, one bit a neuron and step, one byte a feature and decision, four a logit."""
    cards = cards_after_a_second(make_chain(bundle))
    assert {key: (card.rate_hz, card.rate_unit) for key, card in cards.items()} == {
        "source": (400, "events/s"),
        "snn": (30, "spikes/s"),
        "accumulator": (50, "steps/s"),
        "ann": (10, "inferences/s"),
        "decision": (10, "decisions/s"),
    }
    assert {key: card.bytes_per_s for key, card in cards.items()} == {
        "source": 5 * 400,
        "snn": 50 * 128 / 8,
        "accumulator": 10 * 4 * 8 * 8,
        "ann": 10 * 4 * 11,
        "decision": None,
    }


def test_energy_power_and_their_provenance(bundle: Bundle) -> None:
    """mJ a decision times 10 decisions a second are cJ/s; the chip's watts are those of the whole chip."""
    cards = cards_after_a_second(make_chain(bundle))
    assert {key: card.energy for key, card in cards.items()} == {
        "source": ENERGY["bin"],
        "snn": ENERGY["snn"],
        "accumulator": ENERGY["accumulator"],
        "ann": ENERGY["ann"],
        "decision": ENERGY["decision"],
    }
    assert {key: (card.power_w, card.power_provenance) for key, card in cards.items()} == {
        "source": (pytest.approx(0.01), "estimated"),
        "snn": (0.25, "measured"),
        "accumulator": (pytest.approx(0.16), "estimated"),
        "ann": (pytest.approx(0.32), "measured"),
        "decision": (pytest.approx(0.64), "estimated"),
    }


def test_without_figures_they_are_unavailable(bundle: Bundle) -> None:
    chain, tally = make_chain(bundle), Tally(bundle.decision.labels)
    nothing = dict.fromkeys(ENERGY, Energy(None, "unavailable"))
    cards = CardBuilder(chain, SIMULATED, tally).build(Counters(), tally.stage_latency(), nothing, (), 0)
    assert all((card.power_w, card.power_provenance) == (None, "unavailable") for card in cards)
    assert all(card.rate_hz == 0 for card in cards)


def test_latency_of_each_card(bundle: Bundle) -> None:
    cards = cards_after_a_second(make_chain(bundle))
    assert {key: card.latency.recent.p50 for key, card in cards.items()} == {
        "source": 321,
        "snn": 4_000,
        "accumulator": 50_000,
        "ann": 600_000,
        "decision": 7_000_000,
    }


def test_titles_say_what_runs(bundle: Bundle) -> None:
    cards = cards_after_a_second(make_chain(bundle))
    assert {key: (card.title, card.role) for key, card in cards.items()} == {
        "source": ("Simulated camera", "8×8 px → counts"),
        "snn": ("SNN · delayed copy", "counts → spikes, 3 layers"),
        "accumulator": ("Accumulator · T 4, I 2", "spikes → features"),
        "ann": ("ANN · fixed", "features → logits"),
        "decision": ("Decision · each for itself", "logits → gesture"),
    }


@pytest.mark.parametrize(("layers", "words"), [(1, "1 layer"), (2, "2 layers")])
def test_layers_are_counted(bundle: Bundle, layers: int, words: str) -> None:
    assert bundle.snn is not None
    of_so_many = dataclasses.replace(bundle, snn=dataclasses.replace(bundle.snn, layers=layers))
    assert cards_after_a_second(make_chain(of_so_many))["snn"].role == f"counts → spikes, {words}"


@pytest.mark.parametrize("has_spec", [False, True])
def test_without_spiking_layers_the_cards_say_so(bundle: Bundle, has_spec: bool) -> None:
    """What runs counts, not what the bundle could run."""
    bundle = bundle if has_spec else dataclasses.replace(bundle, snn=None)
    cards = cards_after_a_second(make_chain(bundle, spiking=False))
    assert (cards["snn"].title, cards["snn"].role) == ("No spiking layers", "counts go on as they are")
    assert cards["accumulator"].role == "counts → features"
    # What goes on to the accumulator are the events.
    assert (cards["snn"].rate_hz, cards["snn"].bytes_per_s) == (400, 50 * 128 / 8)


@pytest.mark.parametrize(
    ("kind", "title"), [("recording", "Recording · DVX"), ("live", "Camera · DVX"), ("simulated", "Simulated camera")]
)
def test_the_source_is_named_by_its_kind(bundle: Bundle, kind: str, title: str) -> None:
    source = SourceInfo("x", "wave.aedat4", kind, SENSOR)  # type: ignore[arg-type]
    assert cards_after_a_second(make_chain(bundle), source)["source"].title == title


def test_a_sensor_of_another_size_is_told(bundle: Bundle) -> None:
    sensor = Sensor(346, 260)
    source = SourceInfo("x", "wave.aedat4", "recording", sensor)
    card = cards_after_a_second(make_chain(bundle, sensor=sensor), source)["source"]
    assert (card.title, card.role) == ("Recording · wave.aedat4", "346×260 → 8×8 px → counts")


def test_the_rule_of_the_decision_is_what_it_is_now(bundle: Bundle) -> None:
    chain = make_chain(bundle)
    chain.rule.smoothing_us = 25_000
    assert cards_after_a_second(chain)["decision"].title == "Decision · mean of 25 ms"
    assert cards_after_a_second(make_chain(bundle, "window"))["decision"].title == "Decision · each window"


def test_a_stage_that_starts_says_how_far_it_is(bundle: Bundle) -> None:
    class Starting(DelayedCopy):
        state = "importing Lava"

        def wait_ready(self, say: object = None) -> None: ...

    chain = make_chain(bundle)
    chain.snn = Starting((2, 8, 8))
    assert cards_after_a_second(chain)["snn"].role == "importing Lava"

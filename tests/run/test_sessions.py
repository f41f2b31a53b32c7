"""Sessions from end to end: written while they run, run again, and every kind of change found."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bundles import spiking_network, write_ordinary_bundle, write_spiking_bundle
from small_recordings import moving_column, write_aedat31
from spikebridge.bundle import Bundle, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Counts, Features, Logits, Source, Spikes
from spikebridge.errors import BundleError, InputError, StageError, UsageError
from spikebridge.events import EventPacket, Sensor, make_events
from spikebridge.power import PowerMonitor
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.run.lane import Lane
from spikebridge.run.opening import open_chain, open_pipeline
from spikebridge.run.pipeline import Pipeline
from spikebridge.run.session_writing import open_session
from spikebridge.run.verifying import Verified, verify
from spikebridge.settings import LaneSettings, RecordSettings, RunSettings, SourceSettings
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording, PacketSource

SENSOR = Sensor(8, 8, "Eight")
STEP_US = 10_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    longer = write_ordinary_bundle(folder / "longer") / "model.toml"
    longer.write_text(longer.read_text().replace("step_us = 10000", "step_us = 20000"))
    return {
        "ordinary": write_ordinary_bundle(folder / "ordinary"),
        "longer": longer.parent,
        "spiking": write_spiking_bundle(folder / "spiking", spiking_network()),
    }


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "session"


def recorded(session: Path, *lanes: LaneSettings, **source: float | bool) -> list[dict[str, object]]:
    """A session of a recording of 0.3 s, as ``run --session`` makes it; the lines of its steps."""
    clip = write_aedat31(session.with_name("clip.aedat"), moving_column())
    settings = RunSettings(lanes, SourceSettings(math.inf), False, RecordSettings(session=session))
    assert len(list(filter(None, open_pipeline(str(clip), settings).decisions()))) > 0
    return lines_of(session)


def lines_of(session: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (session / "steps.jsonl").read_text().splitlines()]


def change(session: Path, number: int, **changed: object) -> None:
    """One line of a session, or what is in its decision."""
    lines = lines_of(session)
    for key, value in changed.items():
        if key in lines[number]:
            lines[number][key] = value
        else:
            decision = lines[number]["decision"]
            assert isinstance(decision, dict)
            decision[key] = value
    (session / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_the_same_again(session: Path, models: dict[str, Path]) -> None:
    lines = recorded(session, LaneSettings(str(models["ordinary"])))
    assert verify(session) == Verified(1, 30, 30, True, 0)
    assert sorted(path.name for path in session.iterdir()) == ["events.aedat4", "session.json", "steps.jsonl"]
    assert [line["sequence"] for line in lines] == list(range(30))
    assert sum(int(str(line["events"])) for line in lines) == 1200
    head = json.loads((session / "session.json").read_text())
    assert head["lanes"][0]["model"] == str(models["ordinary"])
    assert head["settings"]["speed"] == "max"
    assert (head["ended"]["steps"], head["ended"]["events"], head["ended"]["problem"]) == (30, 1200, None)


def test_two_lanes_with_other_steps_and_a_window(session: Path, models: dict[str, Path]) -> None:
    lanes = (
        LaneSettings(str(models["ordinary"]), mode="window"),
        LaneSettings(str(models["spiking"]), name="second"),
        LaneSettings(str(models["spiking"]), name="third", fit="full"),
        LaneSettings(str(models["longer"])),
    )
    lines = recorded(session, *lanes)
    assert Counter(line["lane"] for line in lines) == {"ordinary": 30, "second": 30, "third": 30, "longer": 15}
    result = verify(session)
    assert (result.lanes, result.steps, result.whole) == (4, len(lines), True)
    assert result.decisions == sum(line["decision"] is not None for line in lines)
    assert result.decisions < result.steps


def test_every_probability_is_compared_to_the_last_bit(session: Path, models: dict[str, Path]) -> None:
    lines = recorded(session, LaneSettings(str(models["ordinary"])))
    decision = lines[17]["decision"]
    assert isinstance(decision, dict)
    before = decision["probabilities"][3]
    after = float(str(np.nextafter(np.float32(before), np.float32(1))))
    assert after != before
    change(session, 17, probabilities=[*decision["probabilities"][:3], after, *decision["probabilities"][4:]])
    with pytest.raises(StageError) as raised:
        verify(session)
    assert str(raised.value) == (
        "expected decision 18 of ordinary, of the step at "
        f"{lines[17]['t_us']} µs, to be the same again, found probabilities[3] {after} then and {before} now."
    )
    assert raised.value.exit_code == 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"label": "wave"}, 'label "wave" then and '),
        ({"index": 99}, "index 99 then and "),
        ({"t_us": 5}, "t_us 5 then and "),
        ({"gap": None}, ""),
        ({"settled": "?"}, 'settled "?" then and '),
        ({"decision": None}, "none then and one for "),
    ],
)
def test_whatever_is_decided_is_compared(
    session: Path, models: dict[str, Path], changed: dict[str, object], said: str
) -> None:
    recorded(session, LaneSettings(str(models["ordinary"])))
    if changed == {"gap": None}:  # of the step itself: the network is reset there
        change(session, 20, gap=True)
        said = "gap false then and true now"
    elif "t_us" in changed:
        lines = lines_of(session)
        decision = lines[20]["decision"]
        assert isinstance(decision, dict)
        change(session, 20, decision={**decision, **changed})
    else:
        change(session, 20, **changed)
    with pytest.raises(StageError) as raised:
        verify(session)
    assert said in str(raised.value)
    assert "decision 21 of ordinary" in str(raised.value)


def test_figures_are_kept_and_not_compared(session: Path, models: dict[str, Path]) -> None:
    lines = recorded(session, LaneSettings(str(models["ordinary"])))
    decision = lines[0]["decision"]
    assert isinstance(decision, dict)
    assert set(decision["latency_us"]) == {"bin", "snn", "accumulator", "ann", "decision"}
    change(session, 0, latency_us={}, end_to_end_us=5)
    assert verify(session).decisions == 30


def rewrite(session: Path, change: object) -> None:
    path = session / "events.aedat4"
    recording = open_recording(path)
    events = recording.read(0, 10**9).copy()
    recording.close()
    with Aedat4Writer(path, SENSOR) as writer:
        assert callable(change)
        writer.write(change(events))


def test_one_missing_event_is_found(session: Path, models: dict[str, Path]) -> None:
    lines = recorded(session, LaneSettings(str(models["ordinary"])))
    rewrite(session, lambda events: np.delete(events, 600))
    with pytest.raises(StageError) as raised:
        verify(session)
    place = int(np.searchsorted(np.cumsum([int(str(line["events"])) for line in lines]), 600, side="right"))
    n = int(str(lines[place]["events"]))
    assert f"expected the step at {lines[place]['t_us']} µs (ordinary) to hold {n} events, found {n - 1}" in str(
        raised.value
    )


@pytest.mark.parametrize("field", ["t", "x", "y", "polarity"])
def test_one_changed_event_is_found(session: Path, models: dict[str, Path], field: str) -> None:
    recorded(session, LaneSettings(str(models["ordinary"])))
    times = moving_column()["t"]
    # One that stays before the next one and in its step when it comes a µs later.
    late = (np.diff(times) > 1) & ((times[:-1] - times[0]) % STEP_US < 9_000)
    place = int(np.flatnonzero(late)[500])

    def other(events: np.ndarray) -> np.ndarray:
        if field == "t":
            events["t"][place] += 1
        else:
            events[field][place] ^= 1
        return events

    rewrite(session, other)
    with pytest.raises(StageError, match="events as they were, found others"):
        verify(session)


def test_another_network_is_refused_with_both_hashes(session: Path, models: dict[str, Path], tmp_path: Path) -> None:
    recorded(session, LaneSettings(str(models["ordinary"])))
    other = write_ordinary_bundle(tmp_path / "other")
    contract = other / "model.toml"
    contract.write_text(contract.read_text().replace("threshold = 0.", "threshold = 0.0"))
    import hashlib

    was, now = (
        hashlib.sha256((folder / "model.toml").read_bytes()).hexdigest() for folder in (models["ordinary"], other)
    )
    assert was != now
    with pytest.raises(BundleError, match=f"hash {was}, found .* with {now}; get that version"):
        verify(session, [str(other)])
    moved = tmp_path / "moved"
    shutil.copytree(models["ordinary"], moved)
    assert verify(session, [str(moved)]).decisions == 30
    with pytest.raises(InputError, match="a --model for each of the 1 networks, found 2"):
        verify(session, [str(moved), str(moved)])


# ---------------------------------------------------------------- live


class Slow:
    """An ANN that takes longer than a step now and then, so that its lane loses some."""

    def __init__(self, chain: Chain, every: int) -> None:
        self.name = chain.ann.name
        self._ann, self._every, self._calls = chain.ann, every, 0

    def classify(self, features: Features) -> Logits:
        self._calls += 1
        if self._calls % self._every == 0:
            time.sleep(0.05)
        return self._ann.classify(features)

    def close(self) -> None:
        self._ann.close()


def live_packets(n: int) -> Iterator[EventPacket]:
    random = np.random.default_rng(5)
    for i in range(n):
        time.sleep(0.001)
        t = np.sort(random.integers(0, STEP_US, 20)) + i * STEP_US
        events = make_events(t, random.integers(0, 8, 20), random.integers(0, 8, 20), random.integers(0, 2, 20))
        events.flags.writeable = False
        yield EventPacket(events, i * STEP_US, (i + 1) * STEP_US, i, time.monotonic_ns())


def open_live(
    session: Path, source: Source, lanes: dict[str, tuple[LaneSettings, int]], lossless: bool = False
) -> Pipeline:
    """A run of a source that does not wait, unless ``lossless``. lanes : by name, with how often their ANN is slow, 0
    for never."""
    bundles: list[Bundle] = []
    chains: dict[str, Chain] = {}
    for name, (settings, every) in lanes.items():
        bundles.append(load_model(settings.model))
        chains[name] = open_chain(settings, bundles[-1], SENSOR)
        if every:
            chains[name].ann = Slow(chains[name], every)
    settings = RunSettings(tuple(lane for lane, _ in lanes.values()), record=RecordSettings(session=session))
    pipeline = Pipeline(source, chains, PowerMonitor(()), lossless=lossless)
    pipeline.record(open_session(session, source.info, settings, bundles, list(lanes), lossless=pipeline.lossless))
    return pipeline


def test_a_live_session_with_drops_is_the_same_again(session: Path, models: dict[str, Path]) -> None:
    lanes = {
        "fast": (LaneSettings(str(models["ordinary"]), "fast"), 0),
        "slow": (LaneSettings(str(models["ordinary"]), "slow"), 20),
        "spiking": (LaneSettings(str(models["spiking"]), "spiking"), 13),
        "longer": (LaneSettings(str(models["longer"]), "longer"), 9),
    }
    pipeline = open_live(session, PacketSource(live_packets(400), SENSOR), lanes)
    assert list(pipeline.decisions())
    snapshots = pipeline.snapshot().lanes
    dropped = {lane.model.name: lane.counters.packets_dropped for lane in snapshots}
    assert dropped["slow"] > 20
    assert dropped["spiking"] > 20
    lines = lines_of(session)
    assert len(lines) == sum(lane.counters.packets_done for lane in snapshots)
    gaps = [line for line in lines if line["decision"] and line["decision"]["gap"]]  # type: ignore[index]
    assert len(gaps) >= 2
    result = verify(session)
    assert (result.lanes, result.steps, result.whole) == (4, len(lines), True)
    assert result.decisions == sum(lane.counters.decisions for lane in snapshots)


def test_a_dropped_step_that_is_kept_out_of_sight_is_found(session: Path, models: dict[str, Path]) -> None:
    """The hole in the sequence is what resets the network; without it the decisions are others."""
    lanes = {"slow": (LaneSettings(str(models["ordinary"]), "slow"), 20)}
    pipeline = open_live(session, PacketSource(live_packets(200), SENSOR), lanes)
    assert list(pipeline.decisions())
    for number, line in enumerate(lines_of(session)):
        change(session, number, sequence=number)
        assert line["lane"] == "slow"
    with pytest.raises(StageError, match="gap true then and false now"):
        verify(session)


def test_a_threshold_and_a_mean_changed_while_it_ran(session: Path, models: dict[str, Path]) -> None:
    lanes = {"one": (LaneSettings(str(models["ordinary"]), "one"), 0)}
    lane: list[Lane] = []

    def packets() -> Iterator[EventPacket]:
        for packet in live_packets(100):
            if packet.sequence == 30:
                lane[0].tune(0.01, 200_000)
            if packet.sequence == 60:
                lane[0].tune(0.99, 0)
            yield packet

    pipeline = open_live(session, PacketSource(packets(), SENSOR), lanes, lossless=True)
    lane += pipeline.lanes
    assert list(pipeline.decisions())
    decisions = [line["decision"] for line in lines_of(session)]
    rules = {(d["threshold"], d["smoothing_us"]) for d in decisions if isinstance(d, dict)}
    assert {(0.01, 200_000), (0.99, 0)} < rules
    assert verify(session).decisions == 100


def test_seeks_and_loops_are_the_same_again(session: Path, models: dict[str, Path]) -> None:
    """Time goes back at every one; each lane sees a gap there, the file goes on."""
    source = Replay(ArrayRecording(moving_column(), SENSOR), speed=20, loop=True)
    lanes = {
        "one": (LaneSettings(str(models["ordinary"]), "one"), 0),
        "two": (LaneSettings(str(models["spiking"]), "two"), 0),
        "longer": (LaneSettings(str(models["longer"]), "longer"), 0),
    }
    pipeline = open_live(session, source, lanes)
    for number, _ in enumerate(item for item in pipeline.decisions() if item is not None):
        if number == 10:
            source.seek(200_000)
        if number == 220:
            break
    lines = lines_of(session)
    assert sum(bool(line["gap"]) for line in lines if line["lane"] == "one") >= 2
    assert any(line["at_us"] != line["t_us"] for line in lines)
    assert verify(session).steps == len(lines)


def test_a_step_that_a_stage_failed_in_is_left_out_again(session: Path, models: dict[str, Path]) -> None:
    """The network was reset, and decides after a gap: as it does where a step was dropped."""
    lanes = {"one": (LaneSettings(str(models["spiking"]), "one"), 0)}
    pipeline = open_live(session, PacketSource(live_packets(60), SENSOR), lanes, lossless=True)
    chain = pipeline.lanes[0].chain
    assert chain.snn is not None
    take, calls = chain.snn.step, itertools.count()

    def fail(counts: Counts) -> Spikes:
        if next(calls) == 30:
            raise StageError("snn", "expected an answer, found none.", restarts=True)
        return take(counts)

    chain.snn.step = fail  # type: ignore[method-assign]
    assert list(pipeline.decisions())
    lines = lines_of(session)
    assert [line["sequence"] for line in lines] == [n for n in range(60) if n != 30]
    assert lines[30]["decision"]["gap"] is True  # type: ignore[index]
    assert verify(session) == Verified(1, 59, 59, True, 0)


# ---------------------------------------------------------------- damaged ones


def test_one_that_was_cut_is_verified_as_far_as_it_goes(session: Path, models: dict[str, Path]) -> None:
    """As after a power failure: no end in session.json, half a line, and events that never reached the disk."""
    recorded(session, LaneSettings(str(models["ordinary"])))
    head = json.loads((session / "session.json").read_text())
    (session / "session.json").write_text(json.dumps(head | {"ended": None}))
    steps = (session / "steps.jsonl").read_bytes()
    (session / "steps.jsonl").write_bytes(steps[:-50])
    assert verify(session) == Verified(1, 29, 29, False, 0)
    rewrite(session, lambda events: events[:1000])
    result = verify(session)
    assert (result.whole, result.steps + result.without_events) == (False, 29)
    assert 3 <= result.without_events <= 6
    (session / "session.json").write_text(json.dumps(head))
    with pytest.raises(StageError, match="the events were changed"):
        verify(session)


def test_a_line_that_is_missing_at_the_end_is_found(session: Path, models: dict[str, Path]) -> None:
    recorded(session, LaneSettings(str(models["ordinary"])))
    steps = (session / "steps.jsonl").read_bytes().splitlines(keepends=True)
    (session / "steps.jsonl").write_bytes(b"".join(steps[:-1]))
    with pytest.raises(InputError, match=r"expected 30 steps in .*, found 29"):
        verify(session)


def test_what_is_no_session_is_refused_in_a_sentence(session: Path, models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a session's folder at"):
        verify(session)
    session.mkdir()
    with pytest.raises(InputError, match="expected a text at"):
        verify(session)
    session.rmdir()
    recorded(session, LaneSettings(str(models["ordinary"])))
    head, steps = (session / "session.json").read_text(), (session / "steps.jsonl").read_text()
    heads = ("", "[]", "{}", '{"format": 2}', "[" * 99_999, head.replace('"lanes"', '"x"'))
    for text in (*heads, head.replace('"width"', '"w"'), head.replace('"width": ', '"width": 1000')):
        (session / "session.json").write_text(text)
        with pytest.raises(InputError):
            verify(session)
    for was, now in (
        ('"mode": "stream"', '"mode": 5'),
        ('"snn": "emulator"', '"snn": "x"'),
        ('"ann": "cpu"', '"ann": 1'),
    ):
        assert was in head
        (session / "session.json").write_text(head.replace(was, now))
        with pytest.raises(InputError, match=r"expected session\.json in"):
            verify(session)
    (session / "session.json").write_text(head)
    long_ones = ("[" * 99_999 + "\n", " " * (1 << 20), re.sub('"at_us":[0-9]+', f'"at_us":{1 << 63}', steps))
    for text in ("no json\n", "{}\n", "[1]\n", steps.replace('"sequence":0', '"sequence":"0"', 1), *long_ones, "5\n"):
        (session / "steps.jsonl").write_text(text)
        with pytest.raises(InputError, match="line 1 not a step"):
            verify(session)
    (session / "steps.jsonl").write_text(steps.replace('"lane":"ordinary"', '"lane":"x"'))
    with pytest.raises(InputError, match="expected steps of ordinary"):
        verify(session)
    (session / "steps.jsonl").unlink()
    with pytest.raises(InputError, match="expected the steps of a session"):
        verify(session)


def test_a_folder_with_something_in_it_is_left_alone(session: Path, models: dict[str, Path]) -> None:
    session.mkdir()
    (session / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="a free name for the session's folder"):
        recorded(session, LaneSettings(str(models["ordinary"])))
    assert [path.name for path in session.iterdir()] == ["thesis.txt"]


def test_a_silent_session(session: Path, models: dict[str, Path]) -> None:
    """Nothing ever moves: there are steps and no events, and the same again is the same."""
    packets = (dataclasses.replace(packet, events=packet.events[:0]) for packet in live_packets(20))
    lanes = {"one": (LaneSettings(str(models["ordinary"]), "one"), 0)}
    assert list(open_live(session, PacketSource(packets, SENSOR), lanes, lossless=True).decisions())
    assert not (session / "events.aedat4").exists()
    assert verify(session) == Verified(1, 20, 20, True, 0)

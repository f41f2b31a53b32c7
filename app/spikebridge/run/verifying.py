"""Runs a session again and compares every decision, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from spikebridge.bundle import Bundle, fingerprint, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Say, say_nothing
from spikebridge.errors import BundleError, InputError, SpikebridgeError, StageError
from spikebridge.events import EventArray, EventPacket, Sensor, empty_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.run.opening import open_chain
from spikebridge.run.session_files import EVENTS, JsonObject, Step, checksum, decided, read_head, read_steps
from spikebridge.settings import FITS, MODES, SNN_BACKENDS, LaneSettings, SnnSettings

#: As wide and high as a sensor may be, as in AEDAT4.
_MOST_PX = 9999


@dataclass(frozen=True, slots=True)
class Verified:
    """A session that was run again and is the same.

    whole : it was ended, not cut. without_events : steps at the end of one that was cut whose events are not there.
    """

    lanes: int
    steps: int
    decisions: int
    whole: bool
    without_events: int


@dataclass(frozen=True, slots=True)
class _Lane:
    settings: LaneSettings
    bundle: Bundle


def verify(
    folder: Path,
    models: Sequence[str] = (),
    say: Say = say_nothing,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Verified:
    """Runs every step of a session through the same networks again.

    models : where the networks are now, in the order of the lanes, instead of where the session says. say : hears how
    far a slow stage is. on_step : hears of each step that was the same.

    Raises StageError at the first difference, with what was and what is; BundleError where a network is another one;
    InputError where the session cannot be read.
    """
    head = read_head(folder)
    lanes, sensor = _lanes(folder, head, models), _sensor(folder, head)
    ended = head.get("ended")
    whole = isinstance(ended, dict) and not ended.get("problem")
    with ExitStack() as opened:
        chains: dict[str, Chain] = {}
        for name, lane in lanes.items():
            chains[name] = open_chain(lane.settings, lane.bundle, sensor, say)
            opened.callback(chains[name].close)
        events = _Events(folder)
        opened.callback(events.close)
        n_steps = without_events = 0
        n_decisions = dict.fromkeys(lanes, 0)
        for step in read_steps(folder):
            chain = chains.get(step.lane)
            if chain is None:
                raise InputError(f"expected steps of {', '.join(chains)} in {folder}, found one of {step.lane}.")
            step_us = chain.bundle.input.step_us
            found = events.read(step.at_us, step.at_us + step_us)
            if not whole and found.size < step.events and step.at_us + step_us > events.last_us:
                without_events += 1
                continue
            _check_events(step, found)
            n_decisions[step.lane] += step.decided is not None
            _check_decision(step, chain, found, step_us, n_decisions[step.lane])
            n_steps += 1
            on_step(step)
    if isinstance(ended, dict) and whole and ended.get("steps") != n_steps:
        raise InputError(
            f"expected {ended.get('steps')} steps in {folder}, as its end says, found {n_steps}; lines of it are "
            "missing, copy it again."
        )
    return Verified(len(lanes), n_steps, sum(n_decisions.values()), whole, without_events)


def _check_events(step: Step, found: EventArray) -> None:
    if found.size != step.events:
        difference = f"{step.events} events, found {found.size}"
    elif checksum(found, step.at_us) != step.crc32:
        difference = f"its {step.events} events as they were, found others"
    else:
        return
    raise StageError(
        "verify", f"expected the step at {step.t_us} µs ({step.lane}) to hold {difference}; the events were changed."
    )


def _check_decision(step: Step, chain: Chain, events: EventArray, step_us: int, number: int) -> None:
    if step.rule is not None:
        chain.rule.threshold, chain.rule.smoothing_us = step.rule
    packet = EventPacket(events, step.t_us, step.t_us + step_us, step.sequence, 0, step.gap)
    decision = chain.process(packet).decision
    now = None if decision is None else decided(decision)
    if json.dumps(now) != json.dumps(step.decided):
        number += step.decided is None
        raise StageError(
            "verify",
            f"expected decision {number} of {step.lane}, of the step at {step.t_us} µs, to be the same again, found "
            f"{_difference(step.decided, now)}.",
        )


def _difference(was: JsonObject | None, now: JsonObject | None) -> str:
    """What differs, as it was and as it is."""
    if was is None or now is None:
        return f"{_words(was)} then and {_words(now)} now"
    told = []
    for key, before in was.items():
        after = now[key]
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            pairs = enumerate(zip(before, after, strict=True))
            told += [f"{key}[{i}] {a} then and {b} now" for i, (a, b) in pairs if json.dumps(a) != json.dumps(b)]
        elif json.dumps(before) != json.dumps(after):
            told.append(f"{key} {json.dumps(before)} then and {json.dumps(after)} now")
    return ", ".join(told)


def _words(decision: JsonObject | None) -> str:
    return "none" if decision is None else f"one for {json.dumps(decision['label'])}"


class _Events:
    """The events of a session; none where nothing ever moved. ``last_us`` : time of the last one."""

    def __init__(self, folder: Path) -> None:
        self._recording: IndexedRecording | None = None
        self.last_us = -1
        if (folder / EVENTS).exists():
            self._recording = open_recording(folder / EVENTS)
            self.last_us = self._recording.info.t_last_us or 0

    def read(self, start_us: int, stop_us: int) -> EventArray:
        return empty_events() if self._recording is None else self._recording.read(start_us, stop_us)

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()


def _lanes(folder: Path, head: Mapping[str, object], models: Sequence[str]) -> dict[str, _Lane]:
    """By name; checks that each network is the one that ran then."""
    given = head.get("lanes")
    if not isinstance(given, list) or not given or not all(isinstance(lane, dict) for lane in given):
        raise _unclear(folder, "its networks")
    if models and len(models) != len(given):
        raise InputError(f"expected a --model for each of the {len(given)} networks, found {len(models)}; name all.")
    lanes: dict[str, _Lane] = {}
    for place, lane in enumerate(given):
        settings = _lane_settings(folder, lane, models[place] if models else "")
        bundle = load_model(settings.model)
        was, now = str(lane.get("bundle_sha256")), fingerprint(bundle)
        if was != now:
            raise BundleError(
                f"expected the network {settings.name} of this session, whose model.toml has the hash {was}, found "
                f"{bundle.folder} with {now}; get that version of it and name it with --model."
            )
        lanes[settings.name] = _Lane(settings, bundle)
    return lanes


def _lane_settings(folder: Path, lane: Mapping[str, object], model: str) -> LaneSettings:
    def one_of(key: str, among: Sequence[str]) -> str:
        if lane.get(key) not in among:
            raise _unclear(folder, f"{key} to be one of {', '.join(among)}")
        return str(lane[key])

    snn = next(backend for backend in SNN_BACKENDS if backend == one_of("snn", SNN_BACKENDS))
    mode = next(mode for mode in MODES if mode == one_of("mode", MODES))
    fit = next((fit for fit in FITS if fit == lane.get("fit")), None)
    name, ann = lane.get("name"), lane.get("ann")
    if not isinstance(name, str) or not isinstance(ann, str):
        raise _unclear(folder, "name and ann of each network")
    return LaneSettings(model or str(lane.get("model")), name, SnnSettings(snn), ann, mode, fit)


def _sensor(folder: Path, head: Mapping[str, object]) -> Sensor:
    source = head.get("source")
    sensor = source.get("sensor") if isinstance(source, dict) else None
    if not isinstance(sensor, dict) or not all(_is_size(sensor.get(key)) for key in ("width", "height")):
        raise _unclear(folder, f"the size of the sensor, at most {_MOST_PX} px")
    return Sensor(sensor["width"], sensor["height"], str(sensor.get("name", "")))


def _is_size(value: object) -> bool:
    return isinstance(value, int) and 0 < value <= _MOST_PX


def _unclear(folder: Path, expected: str) -> SpikebridgeError:
    return InputError(f"expected session.json in {folder} to say {expected}, found that it does not; copy it again.")

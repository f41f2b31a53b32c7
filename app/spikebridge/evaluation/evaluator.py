"""Labelled clips through a bundle's whole chain, as it runs: in the paper's windows and streaming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import Bundle
from spikebridge.chain import Chain, ChainStep
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.controls import Control, rearrange
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.run.opening import open_chain
from spikebridge.settings import LaneSettings, Mode
from spikebridge.stages import WORKING


@dataclass(frozen=True, slots=True)
class WindowResults:
    """The N windows of a case from the onset on, each from reset: the paper's protocol.

    probabilities : (N, n_labels). crossings : (N,) spikes that crossed the bridge. latency_us : (N, n_stages) time on
    the host in each of ``stages.WORKING``.
    """

    probabilities: NDArray[np.float32]
    crossings: NDArray[np.int64]
    latency_us: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StreamResults:
    """The M streaming decisions of a case after the onset.

    probabilities : (M, n_labels) smoothed. since_onset_us : (M,) times. latency_us : (M, n_stages) host time. named :
    label of each, or None. settled : (M,) bool, see ``Decision``.
    """

    probabilities: NDArray[np.float32]
    since_onset_us: NDArray[np.int64]
    latency_us: NDArray[np.float32]
    named: tuple[str | None, ...]
    settled: NDArray[np.bool_]

    @property
    def settled_names(self) -> list[str | None]:
        """What the settled decisions name."""
        return [name for name, settled in zip(self.named, self.settled, strict=True) if settled]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case through the chain.

    first_right_ms, stable_ms : from the onset to the first right decision, and to the one from which on all are right;
    None where there is no onset or no such decision.
    """

    case: Case
    windows: WindowResults
    stream: StreamResults
    first_right_ms: float | None
    stable_ms: float | None

    @property
    def windows_right(self) -> int:
        return int((self.windows.probabilities.argmax(1) == self.case.label).sum())

    @property
    def clip_index(self) -> int:
        """Class of the highest mean probability over the windows."""
        return int(self.windows.probabilities.mean(0).argmax())


class Evaluator:
    """Runs cases through a bundle's chains, which stay open between them. control : what is taken from the events."""

    def __init__(self, bundle: Bundle, settings: LaneSettings, control: Control = "none") -> None:
        self.bundle = bundle
        self.control = control
        self.chains: dict[tuple[Mode, Sensor], Chain] = {}
        self._settings = settings

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for chain in self.chains.values():
            chain.close()

    def __call__(self, case: Case) -> CaseResult:
        """One case in both modes. Raises InputError for one that is shorter than a window."""
        windows = self._windows(case)
        steps = list(self._run("stream", case, case.t_start_us))
        first_right_ms, stable_ms = _onset_latency(steps, case)
        return CaseResult(case, windows, _stream_results(steps, case), first_right_ms, stable_ms)

    def _windows(self, case: Case) -> WindowResults:
        probabilities, crossings, latencies = [], [], []
        latency = np.zeros(len(WORKING))
        for _, step in self._run("window", case, case.begin_us):
            latency += _stage_times(step)
            if step.decision is None or step.features is None:
                continue
            probabilities.append(step.decision.probabilities)
            crossings.append(int(step.features.sum(dtype=np.int64)))
            latencies.append(latency)
            latency = np.zeros(len(WORKING))
        if not probabilities:
            needed_ms = self.bundle.accumulator.window_steps * self.bundle.input.step_us / 1000
            raise InputError(
                f"expected {case.name} to last at least one window of {needed_ms:g} ms, found "
                f"{(case.t_stop_us - case.begin_us) / 1000:g} ms; leave it out."
            )
        return WindowResults(np.stack(probabilities), np.array(crossings), np.array(latencies, np.float32))

    def _run(self, mode: Mode, case: Case, start_us: int) -> Iterator[tuple[int, ChainStep]]:
        """(end of the step, what it did) for each step from ``start_us`` on, from reset."""
        chain = self._chain(mode, case.sensor)
        chain.reset()
        step_us, window = self.bundle.input.step_us, self.bundle.accumulator.window_steps
        bounds = np.arange(start_us, case.t_stop_us + 1, step_us)
        cuts = np.searchsorted(case.events["t"], bounds)
        pieces: list[EventArray] = [case.events[begin:end] for begin, end in pairwise(cuts)]
        if mode == "window":
            pieces = pieces[: len(pieces) // window * window]
        if self.control != "none":
            pieces = rearrange(pieces, self.control, window, self.bundle.accumulator.interval_steps)
        for n, piece in enumerate(pieces):
            packet = EventPacket(piece, int(bounds[n]), int(bounds[n + 1]), n, 0)
            yield int(bounds[n + 1]), chain.process(packet)

    def _chain(self, mode: Mode, sensor: Sensor) -> Chain:
        if (mode, sensor) not in self.chains:
            self.chains[mode, sensor] = open_chain(replace(self._settings, mode=mode), self.bundle, sensor)
        return self.chains[mode, sensor]


def _stream_results(steps: list[tuple[int, ChainStep]], case: Case) -> StreamResults:
    after = [(t_us - case.begin_us, step.decision, step) for t_us, step in steps if t_us > case.begin_us]
    decided = [(t_us, decision, step) for t_us, decision, step in after if decision is not None]
    return StreamResults(
        probabilities=np.stack([decision.probabilities for _, decision, _ in decided]),
        since_onset_us=np.array([t_us for t_us, _, _ in decided]),
        latency_us=np.array([_stage_times(step) for _, _, step in decided], np.float32),
        named=tuple(decision.label for _, decision, _ in decided),
        settled=np.array([decision.settled for _, decision, _ in decided]),
    )


def _stage_times(step: ChainStep) -> list[float]:
    return [step.latency_us[stage] for stage in WORKING]


def _onset_latency(steps: list[tuple[int, ChainStep]], case: Case) -> tuple[float | None, float | None]:
    """(first_right_ms, stable_ms) as in ``CaseResult``."""
    if case.onset_us is None:
        return None, None
    decided = [(t_us, step.decision.index == case.label) for t_us, step in steps if step.decision is not None]
    first = next(((t_us - case.onset_us) / 1000 for t_us, right in decided if right and t_us > case.onset_us), None)
    last_wrong = max((i for i, (_, right) in enumerate(decided) if not right), default=-1)
    if last_wrong == len(decided) - 1:
        return first, None
    return first, max(0.0, (decided[last_wrong + 1][0] - case.onset_us) / 1000)

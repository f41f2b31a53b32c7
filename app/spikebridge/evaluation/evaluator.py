"""A bundle as it runs: labelled clips through the whole chain in both modes. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import Bundle
from spikebridge.chain import Chain, ChainStep, Mode
from spikebridge.contracts import STAGES
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.controls import Control, rearrange
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.runtime import RunSettings, open_chain


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case through the chain.

    windows : (N, n_labels) probabilities of the windows from the onset on, each from reset (the paper's protocol).
    crossings : (N,) spikes that crossed the bridge in each. window_latency_us : (N, n_stages) host time for each.
    stream : (M, n_labels) smoothed probabilities of the streaming decisions after the onset. stream_us : (M,) since
    then. stream_latency_us : (M, n_stages). named : the label of each or None. settled : (M,) bool, see Decision.
    first_right_ms, stable_ms : from the onset to the first right decision and to the one after which all are right.
    """

    case: Case
    windows: NDArray[np.float32]
    crossings: NDArray[np.int64]
    window_latency_us: NDArray[np.float32]
    stream: NDArray[np.float32]
    stream_us: NDArray[np.int64]
    stream_latency_us: NDArray[np.float32]
    named: tuple[str | None, ...]
    settled: NDArray[np.bool_]
    first_right_ms: float | None
    stable_ms: float | None

    @property
    def settled_names(self) -> list[str | None]:
        """Of the settled decisions."""
        return [name for name, settled in zip(self.named, self.settled, strict=True) if settled]

    @property
    def windows_right(self) -> int:
        return int((self.windows.argmax(1) == self.case.label).sum())

    @property
    def clip_index(self) -> int:
        """Class of the highest mean probability over the windows."""
        return int(self.windows.mean(0).argmax())


class Evaluator:
    """Runs cases through a bundle's chains, which stay open between them."""

    def __init__(self, bundle: Bundle, settings: RunSettings, control: Control = "none") -> None:
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
        """Both modes over one case. Raises InputError for one shorter than a window."""
        windows = self._windows(case)
        steps = list(self._run("stream", case, case.t_start_us))
        first, stable = _onset_latency(steps, case)
        stream = [(t_us - case.begin_us, step.decision, step) for t_us, step in steps if t_us > case.begin_us]
        decisions = [(t_us, decision, step) for t_us, decision, step in stream if decision is not None]
        return CaseResult(
            case=case,
            **windows,
            stream=np.stack([decision.probabilities for _, decision, _ in decisions]),
            stream_us=np.array([t_us for t_us, _, _ in decisions]),
            stream_latency_us=np.array([_stages(step) for _, _, step in decisions], np.float32),
            named=tuple(decision.label for _, decision, _ in decisions),
            settled=np.array([decision.settled for _, decision, _ in decisions]),
            first_right_ms=first,
            stable_ms=stable,
        )

    def _windows(self, case: Case) -> dict[str, Any]:
        probabilities, crossings, latencies = [], [], []
        latency = np.zeros(len(STAGES))
        for _, step in self._run("window", case, case.begin_us):
            latency += _stages(step)
            if step.decision is None or step.features is None:
                continue
            probabilities.append(step.decision.probabilities)
            crossings.append(int(step.features.sum(dtype=np.int64)))
            latencies.append(latency)
            latency = np.zeros(len(STAGES))
        if not probabilities:
            needed_ms = self.bundle.accumulator.window_steps * self.bundle.input.step_us / 1000
            raise InputError(
                f"expected {case.name} to last at least one window of {needed_ms:g} ms, found "
                f"{(case.t_stop_us - case.begin_us) / 1000:g} ms; leave it out."
            )
        return {
            "windows": np.stack(probabilities),
            "crossings": np.array(crossings),
            "window_latency_us": np.array(latencies, np.float32),
        }

    def _run(self, mode: Mode, case: Case, start_us: int) -> Iterator[tuple[int, ChainStep]]:
        """(end of the step, what it did) from reset."""
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


def evaluate_cases(
    bundle: Bundle,
    cases: Iterable[Case],
    settings: RunSettings,
    quiet: Mapping[str, Iterable[Case]] | None = None,
    control: Control = "none",
) -> dict[str, Any]:
    """The summary over all cases; see ``summary.summarise``. quiet : by kind, in which nobody makes a gesture."""
    from spikebridge.evaluation.summary import Cost, summarise, summarise_quiet

    with Evaluator(bundle, settings, control) as run:
        results = [run(case) for case in cases]
        summary = summarise(results, Cost.of(run, results))
        summary["quiet"] = {
            kind: summarise_quiet([run(case) for case in group]) for kind, group in (quiet or {}).items()
        }
    return summary


def _stages(step: ChainStep) -> list[float]:
    return [step.latency_us[stage] for stage in STAGES]


def _onset_latency(steps: list[tuple[int, ChainStep]], case: Case) -> tuple[float | None, float | None]:
    """From the onset to the first right decision and to the one after which all are right; None if there is none."""
    if case.onset_us is None:
        return None, None
    decided = [(t_us, step.decision.index == case.label) for t_us, step in steps if step.decision is not None]
    first = next(((t_us - case.onset_us) / 1000 for t_us, ok in decided if ok and t_us > case.onset_us), None)
    last_wrong = max((i for i, (_, ok) in enumerate(decided) if not ok), default=-1)
    if last_wrong == len(decided) - 1:
        return first, None
    return first, max(0.0, (decided[last_wrong + 1][0] - case.onset_us) / 1000)

"""What a lane counts of its steps and decisions, in bounded memory."""

from __future__ import annotations

from collections import Counter

import numpy as np

from spikebridge.chain import ChainStep
from spikebridge.run.latency import LatencyStatistics
from spikebridge.snapshot import Decision, Latency
from spikebridge.stages import CARDS, STAGES, WORKING, CardKey, stages_of


class Tally:
    """Times of the stages, of the cards that join some of them, and what was decided.

    ``work_us`` : processor time in each working stage, over all steps of the run.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.decisions = 0
        self.work_us = dict.fromkeys(WORKING, 0.0)
        self.end_to_end = LatencyStatistics()
        self._labels = labels
        self._stages = {stage.key: LatencyStatistics() for stage in STAGES}
        self._joined = {card: LatencyStatistics() for card in CARDS if len(stages_of(card)) > 1}
        self._scores = np.zeros(len(labels))
        self._named: Counter[str | None] = Counter()

    def add(self, step: ChainStep) -> None:
        """One step of the chain."""
        for stage in STAGES:
            if stage.key in step.latency_us and (step.decision is not None or not stage.per_decision):
                self._stages[stage.key].add(step.latency_us[stage.key])
        for card, statistics in self._joined.items():
            known = [step.latency_us[key] for key in stages_of(card) if key in step.latency_us]
            if known:
                statistics.add(sum(known))
        for key, work_us in step.work_us.items():
            self.work_us[key] += work_us
        if step.decision is not None:
            self._add_decision(step.decision)

    def stage_latency(self) -> dict[str, Latency]:
        """By ``stages.STAGE_KEYS``."""
        return {key: statistics.figures() for key, statistics in self._stages.items()}

    def card_latency(self, card: CardKey, stages: dict[str, Latency]) -> Latency:
        """Of all stages of a card together; ``stages`` as ``stage_latency`` gives them."""
        return self._joined[card].figures() if card in self._joined else stages[stages_of(card)[0]]

    def scores(self) -> tuple[float, ...]:
        """Mean probability of each label over all decisions; zeros before the first."""
        return tuple((self._scores / max(1, self.decisions)).tolist())

    def verdict(self) -> str | None:
        """The label of the highest mean probability; None when most settled decisions named no gesture."""
        n = self._named.total()
        if not n or self._named[None] * 2 > n:
            return None
        return self._labels[int(self._scores.argmax())]

    def _add_decision(self, decision: Decision) -> None:
        self.decisions += 1
        self._scores += decision.probabilities
        if decision.end_to_end_us is not None:
            self.end_to_end.add(decision.end_to_end_us)
        if decision.settled:
            self._named[decision.label] += 1

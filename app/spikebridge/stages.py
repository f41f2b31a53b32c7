"""The stages of the chain: the one list of their keys and titles. Every ``latency_us`` and every energy uses its keys.

A card of the bridge strip stands for one stage or several: waiting for the camera, waiting in the inbox and binning are
what it takes to turn events into a step of input, and share one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

CardKey: TypeAlias = Literal["source", "snn", "accumulator", "ann", "decision"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    key : in ``latency_us`` and energies. title : a word or two, for legends. card : where it is shown.
    waits : nothing is computed in it, so that it costs time but no energy. per_decision : runs only where a decision is
    due, not in each step.
    """

    key: str
    title: str
    card: CardKey
    waits: bool = False
    per_decision: bool = False


#: In the order of the chain. ``source``: from the end of a step's time until the step is complete. ``inbox``: until the
#: chain takes it.
STAGES: tuple[Stage, ...] = (
    Stage("source", "closing", "source", waits=True),
    Stage("inbox", "waiting", "source", waits=True),
    Stage("bin", "binning", "source"),
    Stage("snn", "SNN", "snn"),
    Stage("accumulator", "accumulator", "accumulator"),
    Stage("ann", "ANN", "ann", per_decision=True),
    Stage("decision", "decision", "decision", per_decision=True),
)
STAGE_KEYS: tuple[str, ...] = tuple(stage.key for stage in STAGES)
#: Stages in which something computes.
WORKING: tuple[str, ...] = tuple(stage.key for stage in STAGES if not stage.waits)
#: Those that compute on this host's processor whatever the backends are. What the spiking layers cost is the chip's.
ON_HOST: tuple[str, ...] = tuple(key for key in WORKING if key != "snn")
CARDS: tuple[CardKey, ...] = ("source", "snn", "accumulator", "ann", "decision")


def stages_of(card: CardKey) -> tuple[str, ...]:
    """Keys of the stages that a card stands for."""
    return tuple(stage.key for stage in STAGES if stage.card == card)

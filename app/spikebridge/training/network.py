"""The network family: six convolutions, the first x spiking, the rest ordinary, an accumulator between them.

One description yields all of it: the ordinary network (x = 0), the hybrids, ``s6a0`` with an ordinary head behind six
spiking convolutions, and the pure SNN, whose head spikes as well.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import TICK_US
from spikebridge.datasets.event_batch import EventBatch
from spikebridge.errors import UsageError
from spikebridge.evaluation.controls import Control
from spikebridge.training.spiking_layers import SpikingStack
from spikebridge.training.spiking_neuron import NeuronSpec

#: Channels of the family, input first (Seekings et al., ICONS 2024); each convolution halves height and width.
CHANNELS = (2, 4, 8, 16, 32, 64, 128)
INPUT_SIZE = 128


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One network of the family.

    spiking : number x of spiking convolutions, 0…6. window_steps, interval_steps : T and I of the accumulator.
    step_us : length of one time step. width : channels of the ordinary convolutions in multiples of the paper's, but at
    most those of its last. hidden : width of the dense head. dropout : before and after its hidden layer.
    spiking_head : whether the dense head spikes too (the pure SNN); then its output spikes are counted, nothing else.
    control : what is taken from the input, see ``evaluation.controls``; for networks that are measured, not shipped.
    """

    spiking: int
    window_steps: int = 16
    interval_steps: int = 4
    step_us: int = 10_000
    width: int = 1
    hidden: int = 128
    dropout: float = 0.25
    neuron: NeuronSpec = field(default_factory=NeuronSpec)
    spiking_head: bool = False
    control: Control = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.spiking <= 6:
            raise UsageError(f"expected 0 to 6 spiking layers, found {self.spiking}; name a network such as s2a4.")
        if self.window_steps % self.interval_steps:
            raise UsageError(
                f"expected the interval to divide the window of {self.window_steps} steps, found "
                f"{self.interval_steps}; choose a divisor."
            )
        if self.step_us % TICK_US or self.step_us < TICK_US:
            raise UsageError(f"expected a step of a multiple of {TICK_US} µs, found {self.step_us}; choose another.")
        if self.width < 1:
            raise UsageError(f"expected a width of at least 1, found {self.width}; 1 is the paper's.")
        if self.spiking_head and self.spiking != 6:
            raise UsageError(f"expected six spiking convolutions below a spiking head, found {self.spiking}; name snn.")

    @property
    def name(self) -> str:
        if self.spiking_head:
            return "snn"
        return f"s{self.spiking}a{6 - self.spiking}" if self.spiking else "ann"

    @property
    def intervals(self) -> int:
        return self.window_steps // self.interval_steps

    @property
    def spiking_layers(self) -> int:
        """All spiking layers; each delays by one step."""
        return self.spiking + (2 if self.spiking_head else 0)

    @property
    def neurons(self) -> tuple[int, ...]:
        """Neurons of each spiking layer."""
        convolutions = [CHANNELS[k] * (INPUT_SIZE >> k) ** 2 for k in range(1, self.spiking + 1)]
        return (*convolutions, *((self.hidden, len(LABELS)) if self.spiking_head else ()))

    @property
    def ordinary_channels(self) -> tuple[int, ...]:
        """Of each ordinary convolution."""
        return tuple(min(self.width * after, CHANNELS[-1]) for after in CHANNELS[self.spiking + 1 :])

    @property
    def spikes_shape(self) -> tuple[int, int, int]:
        """(C, h, w) of what the accumulator gets in each step."""
        if self.spiking_head:
            return (len(LABELS), 1, 1)
        size = INPUT_SIZE >> self.spiking
        return (CHANNELS[self.spiking], size, size)

    @property
    def features_shape(self) -> tuple[int, int, int]:
        c, h, w = self.spikes_shape
        return (c * self.intervals, h, w)

    def record(self) -> dict[str, object]:
        """As plain numbers, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> NetworkSpec:
        """Of ``record()`` as JSON; what an older program did not know has its default."""
        return cls(**{**record, "neuron": NeuronSpec(**record["neuron"])})


def parse_name(
    name: str, *, window_steps: int = 16, interval_steps: int = 4, step_us: int = 10_000, width: int = 1
) -> NetworkSpec:
    """``ann``, ``s1a5`` … ``s6a0`` or ``snn``; raises UsageError for other names and for settings that do not fit."""
    match = re.fullmatch(r"s([0-6])a([0-6])", name.lower())
    if name.lower() in ("ann", "snn"):
        spiking = 6 if name.lower() == "snn" else 0
    elif match is None or int(match[1]) + int(match[2]) != 6:
        raise UsageError(f"expected a network named ann, s1a5 … s6a0 or snn, found '{name}'; x + y must be 6.")
    else:
        spiking = int(match[1])
    return NetworkSpec(spiking, window_steps, interval_steps, step_us, width=width, spiking_head=name.lower() == "snn")


class OrdinaryPart(nn.Module):
    """From accumulated counts to logits: 3x3 convolutions of stride 2 with normalisation, then a small dense head."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.scale = 1 / spec.interval_steps
        stages: list[nn.Module] = []
        before = spec.features_shape[0]
        for after in spec.ordinary_channels:
            stages += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
        self.convolutions = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(spec.dropout),
            nn.Linear(before * 4, spec.hidden, bias=False),
            nn.BatchNorm1d(spec.hidden),
            nn.ReLU(),
            nn.Dropout(spec.dropout),
            nn.Linear(spec.hidden, len(LABELS)),
        )

    def forward(self, counts: Tensor) -> Tensor:
        """(B, C·T/I, h, w) float32 counts of 0…I to (B, n_labels) logits."""
        logits: Tensor = self.head(self.convolutions(counts * self.scale))
        return logits


class SpikeCounter(nn.Module):
    """What is left to do behind a pure SNN: to count each class's output spikes in the window."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.intervals = spec.intervals
        #: Logits of one spike; only how sure a decision is depends on it. Low at the start: if wrong answers cost much
        #: before anything is learnt, the output falls silent.
        self.gain = nn.Parameter(torch.tensor([3 / spec.window_steps]))

    def forward(self, counts: Tensor) -> Tensor:
        """(B, n_labels·T/I, 1, 1) float32 counts to (B, n_labels) logits."""
        return counts.flatten(1).unflatten(1, (-1, self.intervals)).sum(2) * self.gain


class HybridNetwork(nn.Module):
    """The whole network: events in, logits and spikes out."""

    def __init__(self, spec: NetworkSpec, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.spec = spec
        gains = (1.0,) * spec.spiking_layers
        dense = spec.neurons[spec.spiking :]
        self.spiking = (
            SpikingStack(CHANNELS[: spec.spiking + 1], INPUT_SIZE, spec.neuron, gains, seed, dense)
            if spec.spiking
            else None
        )
        self.ordinary: OrdinaryPart | SpikeCounter = SpikeCounter(spec) if spec.spiking_head else OrdinaryPart(spec)

    def features(self, events: EventBatch) -> tuple[Tensor, Tensor]:
        """(B, C·T/I, h, w) counts over the last T steps, and (B, layers) spikes."""
        spec = self.spec
        if spec.control == "shuffled":
            # In training from torch's state, which each update sets anew: a resumed training draws the same orders.
            seed = int(torch.randint(2**62, ())) if self.training else 0
            events = events.shuffled(spec.window_steps, np.random.default_rng(seed))
        elif spec.control == "accumulated":
            events = events.accumulated(spec.interval_steps)
        if self.spiking is not None:
            counts, spikes = self.spiking(events, spec.window_steps, spec.interval_steps)
            return counts, spikes
        return torch.from_numpy(events.accumulate(spec.window_steps, spec.interval_steps)), torch.zeros(
            events.samples, 0
        )

    def forward(self, events: EventBatch) -> tuple[Tensor, Tensor]:
        """(B, n_labels) logits and (B, layers) spikes, both on the CPU; the ordinary part may be on another device."""
        features, spikes = self.features(events)
        device = next(self.ordinary.parameters()).device
        return self.ordinary(features.to(device)).cpu(), spikes

"""How a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from spikebridge.datasets.augmentation import Augmentation


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that decides a training but the network and the clips.

    windows : in all; the learning rates fall over them along a half cosine. batch : windows for one update.
    report_every : updates between reports, each of which validates. patience : reports without a better one after which
    the training ends. rate, spiking_rate : learning rates of the ordinary and of the spiking weights; 0 leaves the
    spiking part as it is, which is quicker as well. weight_decay : of the ordinary weights. smoothing : of the labels.
    spike_cost : loss for one spike of each neuron in each step, mean over the layers. streaming : share of the windows
    with steps before them. held_out : one of so many persons is validated on. average : decay of the running mean of
    the weights. validation_clips : at most so many; the choice is fixed. calm : share of the variation's size that is
    left at the end, to which it falls slowly: what is learnt last is learnt on windows like those that will be seen.
    seed : of the weights, of the order and of the variation. initial, spiking_from : names of what it starts from and
    of the network whose spiking layers it begins with, for model cards. ranges : of the variation.
    """

    windows: int = 200_000
    batch: int = 64
    report_every: int = 200
    patience: int = 12
    rate: float = 3e-3
    spiking_rate: float = 2e-3
    weight_decay: float = 2e-2
    smoothing: float = 0.05
    spike_cost: float = 0.5
    streaming: float = 0.6
    held_out: int = 8
    average: float = 0.995
    validation_clips: int = 220
    calm: float = 0.4
    seed: int = 0
    initial: str = ""
    spiking_from: str = ""
    ranges: Augmentation = field(default_factory=Augmentation)

    @property
    def updates(self) -> int:
        return max(1, self.windows // self.batch)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> TrainingPlan:
        """Of ``dataclasses.asdict`` as JSON; what an older program did not know has its default."""
        known = {name.name: record[name.name] for name in fields(cls) if name.name in record}
        if "ranges" in known:
            known["ranges"] = Augmentation(**{**known["ranges"], "haze_px": tuple(known["ranges"]["haze_px"])})
        return cls(**known)

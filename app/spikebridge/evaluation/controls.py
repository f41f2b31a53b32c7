"""Controls: the same events with their time taken away, to see what a network needs it for.

shuffled : the steps of each window in another order. accumulated : summed up before the network instead of behind its
spiking layers; each step shows all events of its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from spikebridge.events import EventArray

#: What a network is kept from using: nothing, the order of the steps in a window, or all times within an interval.
Control: TypeAlias = Literal["none", "shuffled", "accumulated"]


def rearrange(pieces: Sequence[EventArray], control: Control, window: int, interval: int) -> list[EventArray]:
    """The events of each step, rearranged within windows of ``window`` steps or intervals of ``interval`` steps."""
    if control == "shuffled":
        random = np.random.default_rng(0)
        groups = [pieces[first : first + window] for first in range(0, len(pieces), window)]
        return [group[i] for group in groups for i in random.permutation(len(group))]
    if control == "accumulated":
        groups = [pieces[first : first + interval] for first in range(0, len(pieces), interval)]
        return [joined for group in groups for joined in [np.concatenate(group)] * len(group)]
    return list(pieces)

"""Packets of a lane whose steps are longer than the source's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spikebridge.events import EventPacket


class Regrouper:
    """Joins every ``n`` packets into one, as the source would have cut them for this lane alone.

    A gap begins a new group; the packets of one that was not whole then are ``lost``. The last group of a recording is
    filled up with the silence after its end.
    """

    def __init__(self, n: int, source_step_us: int) -> None:
        self._n = n
        self._step_us = n * source_step_us
        self._group: list[EventPacket] = []
        self._sequence = 0
        self._expected: int | None = None
        self._lost: list[EventPacket] = []

    def put(self, packet: EventPacket) -> Iterator[EventPacket]:
        """The packet of the lane that this one completes, if it does."""
        if self._expected is not None and (packet.gap or packet.sequence != self._expected):
            self._lost += self._group
            self._group.clear()
            self._sequence += 1  # a hole, so that the network begins anew
        self._expected = packet.sequence + 1
        self._group.append(packet)
        if len(self._group) == self._n:
            yield self._join()

    def lost(self) -> list[EventPacket]:
        """Packets that came into no group, since the last call."""
        lost, self._lost = self._lost, []
        return lost

    def finish(self) -> Iterator[EventPacket]:
        """What is left at the end of the source."""
        if self._group:
            yield self._join()

    def _join(self) -> EventPacket:
        first, last = self._group[0], self._group[-1]
        events = np.concatenate([packet.events for packet in self._group])
        events.flags.writeable = False
        joined = EventPacket(
            events,
            first.t_start_us,
            first.t_start_us + self._step_us,
            self._sequence,
            last.received_ns,
            first.gap,
            last.due_ns,
        )
        self._group.clear()
        self._sequence += 1
        return joined

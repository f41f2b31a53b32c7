"""The queue between a source and the chain: the one place behind the driver where packets may be dropped."""

from __future__ import annotations

import threading
from collections import deque
from typing import Literal, TypeAlias

from spikebridge.events import EventPacket
from spikebridge.snapshot import Counters

#: What happens when no place is left: the oldest packet goes, or the producer waits.
WhenFull: TypeAlias = Literal["drop_oldest", "block"]


class Inbox:
    """A bounded queue with one producer and one consumer.

    capacity : packets that wait at most. when_full : ``drop_oldest`` for live sources, so that the chain works on the
    newest events and lag cannot grow; ``block`` for recordings, so that nothing is lost.
    """

    def __init__(self, capacity: int, when_full: WhenFull) -> None:
        self._capacity = capacity
        self._when_full = when_full
        self._queue: deque[EventPacket] = deque()
        self._in_work: EventPacket | None = None
        self._packets = {"in": 0, "done": 0, "dropped": 0}
        self._events = dict(self._packets)
        self._closed = False
        self._changed = threading.Condition()

    def put(self, packet: EventPacket) -> bool:
        """Adds a packet; False when the inbox was closed."""
        with self._changed:
            if self._when_full == "block" and len(self._queue) >= self._capacity:
                # Down to half, not to one free place: else the two threads take turns for every single packet.
                self._changed.wait_for(lambda: self._closed or len(self._queue) <= self._capacity // 2)
            if self._closed:
                return False
            self._count("in", packet)
            if len(self._queue) >= self._capacity:
                self._count("dropped", self._queue.popleft())
            self._queue.append(packet)
            self._changed.notify_all()
            return True

    def refuse(self, packet: EventPacket) -> None:
        """Counts a packet that came and will not be worked on: dropped."""
        with self._changed:
            self._count("in", packet)
            self._count("dropped", packet)

    def get(self, timeout_s: float) -> EventPacket | None:
        """The oldest packet, now in work; None when none came in time or the inbox is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, timeout_s)
            if not self._queue:
                return None
            self._in_work = self._queue.popleft()
            if len(self._queue) == self._capacity // 2:
                self._changed.notify_all()
            return self._in_work

    def done(self) -> None:
        """The packet in work went through the chain."""
        with self._changed:
            if self._in_work is not None:
                self._count("done", self._in_work)
                self._in_work = None

    def lose(self) -> None:
        """The packet in work did not go through the chain: dropped."""
        with self._changed:
            if self._in_work is not None:
                self._count("dropped", self._in_work)
                self._in_work = None

    def close(self) -> None:
        """No more packets come in; those queued can still be got."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Drops what is queued, and counts it."""
        with self._changed:
            while self._queue:
                self._count("dropped", self._queue.popleft())
            self._changed.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether packets are queued. Without the lock: at once, and true a moment ago."""
        return bool(self._queue)

    @property
    def exhausted(self) -> bool:
        """Closed and empty: nothing will come any more."""
        with self._changed:
            return self._closed and not self._queue

    def counters(self) -> Counters:
        """Packets and events; what only the chain knows is 0."""
        with self._changed:
            queued = [*self._queue, self._in_work] if self._in_work is not None else list(self._queue)
            return Counters(
                packets_in=self._packets["in"],
                packets_done=self._packets["done"],
                packets_dropped=self._packets["dropped"],
                packets_queued=len(queued),
                events_in=self._events["in"],
                events_done=self._events["done"],
                events_dropped=self._events["dropped"],
                events_queued=sum(packet.events.size for packet in queued),
            )

    def _count(self, what: str, packet: EventPacket) -> None:
        self._packets[what] += 1
        self._events[what] += packet.events.size

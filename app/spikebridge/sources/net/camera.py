"""A network stream as a camera: its events, a server that is gone and comes back, and what was lost on the way."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator

import numpy as np

from spikebridge.errors import MissingError, SpikebridgeError
from spikebridge.events import EventArray, Sensor
from spikebridge.sources.live import CameraReport
from spikebridge.sources.net import decoding
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.connection import Connection, connect
from spikebridge.sources.net.stream import PacketStream, load_compiled

_TRY_EVERY_S = 0.25
#: Of a try, so that a closed source is over soon.
_TRY_WITHIN_S = 1.5


class NetCamera:
    """``live.Camera`` and ``live.Reporting`` for the stream at an address; all but ``report`` from one thread.

    reconnect : a server that is gone is waited for; else ``read`` raises MissingError.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None, *, reconnect: bool = True) -> None:
        self._address, self._context, self._reconnect = address, context, reconnect
        load_compiled()
        self._stream = PacketStream(connect(address, context))
        self._seeker: _Seeker | None = None
        self._earlier = np.zeros(decoding.STATE_SIZE, np.int64)  # counts of connections that are over
        self._others = self._losses = self._away_ns = self._lost_ns = 0
        self._changing = threading.Lock()
        self.uri = f"net:{address}"
        self.sensor = self._stream.header.sensor
        self.title = f"{self.sensor.name or 'Camera'} at {address}"

    def read(self) -> EventArray | None:
        if self._seeker is not None and not self._returned(self._seeker):
            return None
        events = self._stream.read()
        if events is None and self._stream.lost:
            self._lose()
        return events

    def report(self) -> CameraReport:
        with self._changing:
            return self._report()

    def close(self) -> None:
        if self._seeker is not None:
            self._seeker.close()
        self._stream.close()

    def _report(self) -> CameraReport:
        counts = self._earlier + self._stream.state
        return CameraReport(
            dropped=int(counts[decoding.MISSED] + counts[decoding.OUTSIDE]),
            out_of_order=int(counts[decoding.MOVED]),
            skipped_bytes=int(counts[decoding.DAMAGED_BYTES]),
            interruptions=self._losses + int(counts[decoding.RESTARTS]),
            gone=self._stream.lost if self._seeker is not None else "",
            notes=tuple(self._notes()),
        )

    def _lose(self) -> None:
        self._stream.close()
        if not self._reconnect:
            raise MissingError(
                f"expected events from {self.title}, found the server gone ({self._stream.lost}); start it again, or "
                "leave out --no-reconnect to wait for it."
            )
        self._lost_ns = time.monotonic_ns()
        self._seeker = _Seeker(self._address, self._context, self.sensor)

    def _returned(self, seeker: _Seeker) -> bool:
        """Whether the server is there again; goes on with it then."""
        connection = seeker.found
        if connection is None:
            return False
        stream = PacketStream(connection)
        with self._changing:
            # The newest time is no count, and begins anew.
            self._stream.state[decoding.NEWEST] = 0
            self._earlier += self._stream.state
            self._others += self._stream.others
            self._losses += 1
            self._away_ns += time.monotonic_ns() - self._lost_ns
            self._stream, self._seeker = stream, None
        return True

    def _notes(self) -> Iterator[str]:
        if self._seeker is not None:
            reason = f"; {self._seeker.reason}" if self._seeker.reason else ""
            yield f"{self.title} is gone ({self._stream.lost}) and is waited for{reason}"[:400].rstrip(".") + "."
        if self._losses:
            times = "once" if self._losses == 1 else f"{self._losses} times"
            yield f"{self.title} was gone {times}, {self._away_ns / 1e9:.1f} s in all; time begins anew after that."
        missed = int((self._earlier + self._stream.state)[decoding.MISSED])
        if missed:
            yield f"{missed:,} events were lost before they were sent: by the camera there, or as this was too slow."
        others = self._others + self._stream.others
        if others:
            yield f"{others:,} packets of other streams than events were left out."


class _Seeker:
    """Tries to connect, again and again, on a thread of its own.

    found : the connection, once there is one. reason : why the last try failed.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None, sensor: Sensor) -> None:
        self.reason = ""
        self._address, self._context, self._sensor = address, context, sensor
        self._found: Connection | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._seek, name="spikebridge-reconnect", daemon=True).start()

    @property
    def found(self) -> Connection | None:
        with self._lock:
            return self._found

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            if self._found is not None:
                self._found.socket.close()

    def _seek(self) -> None:
        while not self._closed.wait(_TRY_EVERY_S):
            try:
                connection = connect(self._address, self._context, _TRY_WITHIN_S)
            except SpikebridgeError as error:
                self.reason = str(error)
                continue
            sensor = connection.header.sensor
            size = (sensor.width, sensor.height)
            with self._lock:
                if not self._closed.is_set() and size == (self._sensor.width, self._sensor.height):
                    self._found = connection
                    return
            connection.socket.close()
            self.reason = (
                f"expected a sensor of {self._sensor.width}×{self._sensor.height} there as before, found one of "
                f"{size[0]}×{size[1]}; open it anew."
            )

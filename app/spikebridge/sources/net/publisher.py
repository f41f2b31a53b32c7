"""Events to whoever connects, as dv-processing's NetworkWriter sends them; who is too slow loses some, and is told."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from spikebridge.contracts import Say, say_nothing
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.aedat.aedat4_header import Compression, header_bytes
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.wire import HEARTBEAT_S, MOST_EVENTS, Packer

MOST_READERS = 10
#: Waits for one reader at most, and for so long: two million events or half a second, whatever is less.
MOST_BYTES = 32 << 20
MOST_WAIT_S = 0.5
_LOOK_S = 0.1
_HANDSHAKE_S = 5.0
_SEND_BYTES = 1 << 20
#: dv-processing 2.0.4 forgets what it has just received when the connection ends: the end comes a moment later.
_LINGER_S = 0.5
#: A machine that does not answer any more is given up after so long.
_UNANSWERED_MS = 10_000


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """readers : connected now. connected : ever. dropped : events that were not sent to one reader or another."""

    readers: int
    connected: int
    events: int
    dropped: int


class Publisher:
    """A server of one stream of events. ``publish`` from one thread, anything else from any.

    patience_s : how long ``publish`` waits for a reader that has not taken what it has; 0 for a source that goes on
    anyway. say : hears who comes, goes, and loses events. Raises UsageError for an address that can't be taken.
    """

    def __init__(
        self,
        address: Address,
        sensor: Sensor,
        context: ssl.SSLContext | None = None,
        compression: Compression = "NONE",
        patience_s: float = 0.0,
        say: Say = say_nothing,
    ) -> None:
        self._listener = _listen(address)
        self.address = Address(address.host, int(self._listener.getsockname()[1]))
        self._header = header_bytes(sensor, compression)
        self._packer = Packer(compression)
        self._context, self._patience_s, self._say = context, patience_s, say
        self._lock = threading.Lock()
        self._readers: list[_Reader] = []
        self._events = self._connected = self._dropped_for_gone = self._dropped_before = 0
        self._closed = threading.Event()
        self._accepting = threading.Thread(target=self._accept, name="spikebridge-publish", daemon=True)
        self._accepting.start()

    def publish(self, events: EventArray, dropped_before: int = 0) -> None:
        """Sends events, sorted by time, to every reader. dropped_before : what the source itself has lost so far."""
        with self._lock:
            readers = list(self._readers)
            self._dropped_before = dropped_before
            self._events += events.size
        for start in range(0, events.size, MOST_EVENTS):
            part = events[start : start + MOST_EVENTS]
            packet = self._packer.events(part)
            for reader in readers:
                reader.put(packet, part.size, dropped_before)

    def status(self) -> PublisherStatus:
        with self._lock:
            dropped = self._dropped_for_gone + sum(reader.dropped for reader in self._readers)
            return PublisherStatus(len(self._readers), self._connected, self._events, dropped)

    def finish(self, within_s: float) -> None:
        """Waits until every reader has got what waits for it, then closes."""
        deadline_s = time.monotonic() + within_s
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.drain(deadline_s - time.monotonic())
        if readers:
            time.sleep(_LINGER_S)
        self.close()

    def close(self) -> None:
        """Ends all connections; may be called twice."""
        self._closed.set()
        self._accepting.join()
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.close()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                opened, place = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:  # the reader was gone before it was let in
                self._closed.wait(_LOOK_S)
                continue
            name = str(Address(*place[:2]))
            with self._lock:
                if len(self._readers) >= MOST_READERS:
                    opened.close()
                    self._say(f"{name} was turned away: there are {MOST_READERS} readers already.")
                    continue
                self._connected += 1
                reader = _Reader(
                    opened, name, self._context, self._header, self._packer, self._patience_s, self._dropped_before
                )
                self._readers.append(reader)
            reader.start(self._say, self._left)

    def _left(self, reader: _Reader) -> None:
        with self._lock:
            self._readers.remove(reader)
            self._dropped_for_gone += reader.dropped


class _Reader:
    """One connection and what waits for it. All fields are guarded by ``_changed``."""

    def __init__(
        self,
        opened: socket.socket,
        name: str,
        context: ssl.SSLContext | None,
        header: bytes,
        packer: Packer,
        patience_s: float,
        dropped_before: int,
    ) -> None:
        self.dropped = 0
        self._socket, self._name, self._context = opened, name, context
        self._header, self._packer, self._patience_s = header, packer, patience_s
        self._changed = threading.Condition()
        self._waiting: deque[tuple[memoryview, int, float]] = deque()
        self._n_bytes = 0
        self._source_before, self._source_dropped = dropped_before, dropped_before
        self._told = 0
        self._sending = self._closed = self._prepared = False
        self._said_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"spikebridge-reader {name}", daemon=True)

    def start(self, say: Say, on_end: Callable[[_Reader], None]) -> None:
        self._say, self._on_end = say, on_end
        self._thread.start()

    def put(self, packet: memoryview, n_events: int, source_dropped: int) -> None:
        """Appends a packet; where there is no room in time, all that waits is dropped, so that one hole is made."""
        with self._changed:
            self._source_dropped = source_dropped
            if self._patience_s:
                self._changed.wait_for(lambda: self._closed or self._has_room(packet), self._patience_s)
            if self._closed:
                return
            late = not self._patience_s and self._waiting and time.monotonic() - self._waiting[0][2] > MOST_WAIT_S
            if late or not self._has_room(packet):
                self.dropped += sum(n for _, n, _ in self._waiting)
                self._waiting.clear()
                self._n_bytes = 0
                self._complain()
            self._waiting.append((packet, n_events, time.monotonic()))
            self._n_bytes += len(packet)
            self._changed.notify_all()

    def drain(self, within_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not (self._waiting or self._sending), max(within_s, 0.0))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if not self._prepared:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _has_room(self, packet: memoryview) -> bool:
        return not self._waiting or self._n_bytes + len(packet) <= MOST_BYTES

    def _complain(self) -> None:
        """At most once a second."""
        now_s = time.monotonic()
        if now_s - self._said_s > 1.0:
            self._said_s = now_s
            self._say(f"{self._name} is too slow: {self.dropped:,} events were not sent to it so far.")

    # ------------------------------------------------ on its own thread

    def _run(self) -> None:
        reason = ""
        try:
            self._prepare()
            self._say(f"{self._name} reads.")
            while (packet := self._next()) is not None:
                self._send(packet)
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            with self._changed:
                self._closed, self._sending = True, False
                self.dropped += sum(n for _, n, _ in self._waiting) if reason else 0
                self._changed.notify_all()
            self._hang_up()
            self._on_end(self)
        if reason:
            self._say(f"{self._name} has left ({reason}).")

    def _prepare(self) -> None:
        self._socket.settimeout(_HANDSHAKE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)
        if self._context is not None:
            # The connection is known before it waits for the other side, so that ``close`` can end it.
            secure = self._context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
            self._socket = secure
            secure.do_handshake()
        self._socket.settimeout(_LOOK_S)
        self._send(memoryview(self._header))
        self._prepared = True
        self._send(self._packer.missed(0))

    def _next(self) -> memoryview | None:
        """What to send next: what was missed, else the next packet, else a sign of life; None once closed."""
        with self._changed:
            self._sending = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._waiting, HEARTBEAT_S)
            if self._closed:
                return None
            self._sending = True
            missed = self.dropped + self._source_dropped - self._source_before
            if missed != self._told or not self._waiting:
                self._told = missed
                return self._packer.missed(missed)
            packet, _, _ = self._waiting.popleft()
            self._n_bytes -= len(packet)
            return packet

    def _send(self, content: memoryview) -> None:
        done = 0
        while done < len(content):
            done += self._send_some(content[done : done + _SEND_BYTES])

    def _send_some(self, content: memoryview) -> int:
        try:
            return self._socket.send(content)
        except TimeoutError:
            if self._closed:
                raise
            return 0

    def _hang_up(self) -> None:
        with suppress(OSError, ValueError):  # ValueError where it was never encrypted
            # An encrypted stream that ends without saying so counts as cut off by an attacker.
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _listen(address: Address) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((address.host, address.port), family=family, backlog=MOST_READERS)
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise UsageError(
            f"expected to publish at {address}, found: {reason}; take a free port and an address of this machine, or "
            "0.0.0.0 for all of them."
        ) from error
    listener.settimeout(_LOOK_S)
    return listener

"""The protocol between program and worker: frames of one kind byte, a little-endian u32 length, and the payload.

    program → worker                            worker → program
    OPEN    JSON: network, shapes, backend      PROGRESS  JSON: {"words"}, any number while opening
                                                READY     JSON: shapes of the layers, versions
    STEP    counts, uint8 (C, H, W)             SPIKES    output, uint8 (C', H', W'); but for hardware then also the
                                                          spikes of the layers before it, each packed to bits, and
                                                          the neuron updates of each layer and their overflows,
                                                          int64
                                                FIGURES   JSON, before SPIKES, when a profiler measured
    RESET   empty                               DONE      empty
    STATE   empty                               STATE     currents and voltages of each layer, int32 (C, H, W)
                                                FAILED    JSON: {"sentence", "missing", "trace"}

Shapes are fixed by READY, so arrays travel bare. JSON and arrays only: nothing that arrives is executed.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

OPEN = b"O"
STEP = b"S"
RESET = b"R"
STATE = b"V"
PROGRESS = b"P"
READY = b"A"
SPIKES = b"K"
FIGURES = b"F"
DONE = b"D"
FAILED = b"X"

_HEADER = struct.Struct("<cI")
#: Far above any frame of a network that fits a chip; a larger length means that the stream is out of step.
_LONGEST = 1 << 28


class ClosedError(ConnectionError):
    """The other end is gone."""


def send(connection: socket.socket, kind: bytes, payload: bytes = b"", deadline_s: float | None = None) -> None:
    """Writes one frame; ``deadline_s`` on ``time.monotonic``. Raises TimeoutError or ClosedError."""
    _set_timeout(connection, deadline_s)
    try:
        connection.sendall(_HEADER.pack(kind, len(payload)) + payload)
    except TimeoutError:
        raise
    except OSError as error:
        raise ClosedError("the other end is gone") from error


def receive(connection: socket.socket, deadline_s: float | None = None) -> tuple[bytes, bytes]:
    """Reads one frame: kind, payload. ``deadline_s`` on ``time.monotonic``. Raises TimeoutError or ClosedError."""
    kind, length = _HEADER.unpack(_read(connection, _HEADER.size, deadline_s))
    if length > _LONGEST:
        raise ClosedError(f"expected a frame of at most {_LONGEST} bytes, got {length}")
    return kind, bytes(_read(connection, length, deadline_s))


def pack(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def unpack(payload: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(payload)
    return fields


def _read(connection: socket.socket, length: int, deadline_s: float | None) -> bytearray:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        _set_timeout(connection, deadline_s)
        try:
            n_read = connection.recv_into(view)
        except TimeoutError:
            raise
        except OSError as error:
            raise ClosedError("the other end is gone") from error
        if n_read == 0:
            raise ClosedError("the other end is gone")
        view = view[n_read:]
    return buffer


def _set_timeout(connection: socket.socket, deadline_s: float | None) -> None:
    if deadline_s is None:
        connection.settimeout(None)
        return
    remaining_s = deadline_s - time.monotonic()
    if remaining_s <= 0:
        raise TimeoutError
    connection.settimeout(remaining_s)

"""Frames between program and worker."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from spikebridge.snn.lava.worker import wire


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, two = socket.socketpair()
    with one, two:
        yield one, two


def _soon() -> float:
    return time.monotonic() + 5


@pytest.mark.parametrize("size", [0, 1, 65_537, 3_000_000])
def test_frame_arrives_whole(pair: tuple[socket.socket, socket.socket], size: int) -> None:
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    sender = threading.Thread(target=wire.send, args=(pair[0], wire.STEP, payload, _soon()))
    sender.start()
    assert wire.receive(pair[1], _soon()) == (wire.STEP, payload)
    sender.join()


def test_frames_keep_their_order_in_pieces(pair: tuple[socket.socket, socket.socket]) -> None:
    stream = b"".join(struct.pack("<cI", kind, 2) + body for kind, body in ((b"a", b"xy"), (b"b", b"zw")))
    for byte in stream:
        pair[0].sendall(bytes([byte]))
    assert [wire.receive(pair[1], _soon()) for _ in range(2)] == [(b"a", b"xy"), (b"b", b"zw")]


def test_json_round_trip() -> None:
    fields = {"words": "importing Lava", "shape": [2, 3]}
    assert wire.unpack(wire.pack(**fields)) == fields


def test_deadline_counts_for_the_whole_frame(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(struct.pack("<cI", wire.STEP, 10) + b"half")
    with pytest.raises(TimeoutError):
        wire.receive(pair[1], time.monotonic() + 0.05)


def test_deadline_in_the_past(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        wire.send(pair[0], wire.STEP, b"", time.monotonic() - 1)


def test_full_socket_is_bounded_too(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        wire.send(pair[0], wire.STEP, bytes(50_000_000), time.monotonic() + 0.05)


def test_end_inside_a_frame_is_named(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(struct.pack("<cI", wire.STEP, 10) + b"half")
    pair[0].close()
    with pytest.raises(wire.ClosedError):
        wire.receive(pair[1], _soon())


def test_length_out_of_step_is_refused(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(b"\xff" * 5)
    with pytest.raises(wire.ClosedError, match="at most"):
        wire.receive(pair[1], _soon())

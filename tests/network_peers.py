"""The other side of network streams: dv-processing in a process of its own, certificates, bytes written by hand."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from spikebridge.events import EventArray, make_events
from spikebridge.settings import TlsSettings
from spikebridge.sources.net.camera import NetCamera

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="OPENSSL IS MISSING: TLS is not tested")

#: Waits for a line on standard input between what it does; dv-processing holds the interpreter while it connects.
_WRITER = """
import sys, time, numpy as np, dv_processing as dv
port, file, width, height, compression, parts, *tls = sys.argv[1:]
events = np.load(file)
stream = dv.io.Stream.EventStream(3, "events", "DVXplorer_123", (int(width), int(height)))
stream.setCompression(getattr(dv.CompressionType, compression))
writer = dv.io.NetworkWriter("127.0.0.1", int(port), stream, *(dv.Path(path) for path in tls))
print("ready", flush=True)
while not writer.getClientCount():
    time.sleep(0.001)
for part in np.array_split(events, int(parts)):
    store = dv.EventStore()
    for t, x, y, on in part.tolist():
        store.push_back(t, x, y, bool(on))
    writer.writeEvents(store)
    time.sleep(0.002)
print("written", flush=True)
sys.stdin.readline()
"""
_READER = """
import sys, time, numpy as np, dv_processing as dv
port, file, n, *tls = sys.argv[1:]
reader = dv.io.NetworkReader("127.0.0.1", int(port), *(dv.Path(path) for path in tls))
print(reader.getCameraName(), *reader.getEventResolution(), flush=True)
parts = []
while sum(map(len, parts)) < int(n) and reader.isRunning():
    store = reader.getNextEventBatch()
    if store is None:
        time.sleep(0.001)
    elif len(store):
        parts.append(store.numpy().copy())
np.save(file, np.concatenate(parts))
"""


@contextmanager
def python(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


@contextmanager
def dv_writer(
    folder: Path,
    events: EventArray,
    port: int,
    *,
    size: tuple[int, int] = (346, 260),
    compression: str = "NONE",
    parts: int = 20,
    tls: TlsSettings | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """dv-processing's NetworkWriter, which sends the events in parts to the first client once it listens."""
    file = folder / "events.npy"
    np.save(file, events)
    paths = (tls.certificate, tls.key, tls.ca) if tls else ()
    with python(_WRITER, port, file, *size, compression, parts, *paths) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child


@contextmanager
def dv_reader(folder: Path, port: int, n: int, tls: TlsSettings | None = None) -> Iterator[Callable[[], EventArray]]:
    """dv-processing's NetworkReader; call what is given for the first ``n`` events that it reads."""
    file = folder / "read.npy"
    paths = (tls.certificate, tls.key) if tls else ()
    with python(_READER, port, file, n, *paths) as child:

        def result() -> EventArray:
            assert child.wait(20) == 0
            read = np.load(file)
            return make_events(read["timestamp"], read["x"], read["y"], read["polarity"])

        yield result


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def certificates(folder: Path, name: str = "authority") -> dict[str, TlsSettings]:
    """A server's and a client's certificate of one authority, both for localhost; made by openssl."""

    def openssl(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    authority = folder / f"{name}.pem"
    openssl("req", "-x509", *new, "-keyout", f"{name}.key", "-out", authority, "-days", 2, "-subj", f"/CN={name}")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    made = {}
    for side in ("server", "client"):
        own = f"{name}-{side}"
        openssl("req", *new, "-keyout", f"{own}.key", "-out", f"{own}.csr", "-subj", f"/CN={own}")
        openssl(
            "x509", "-req", "-in", f"{own}.csr", "-CA", authority, "-CAkey", f"{name}.key", "-CAcreateserial",
            "-out", f"{own}.pem", "-days", 2, "-extfile", "names",
        )  # fmt: skip
        made[side] = TlsSettings(authority, folder / f"{own}.pem", folder / f"{own}.key")
    return made


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about in time"
        time.sleep(0.002)


@contextmanager
def serving(*turns: Callable[[socket.socket], None], port: int = 0) -> Iterator[int]:
    """A server on this machine whose n-th connection goes to the n-th of ``turns``, and is closed after it."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        with suppress(OSError):
            for turn in turns:
                opened, _ = listener.accept()
                with opened, suppress(OSError):
                    turn(opened)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def sends(*parts: bytes | memoryview, until: threading.Event | None = None) -> Callable[[socket.socket], None]:
    """Sends these bytes, and hangs up; with ``until``, when that is set, or a test has failed before it could."""

    def turn(opened: socket.socket) -> None:
        for part in parts:
            opened.sendall(part)
        if until is not None:
            until.wait(20)

    return turn


def read_for(camera: NetCamera, seconds: float) -> list[EventArray]:
    """What comes in that time, batch by batch."""
    found: list[EventArray] = []
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        events = camera.read()
        if events is None:
            time.sleep(0.001)
        else:
            found.append(events)
    return found


def drained(camera: NetCamera, n: int) -> EventArray:
    """The next ``n`` events, or more."""
    found: list[EventArray] = []

    def enough() -> bool:
        # Batch by batch: what came before the end of a connection counts.
        events = camera.read()
        if events is not None:
            found.append(events)
        return sum(part.size for part in found) >= n

    until(enough)
    return np.concatenate(found)

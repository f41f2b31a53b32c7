"""dv-processing's own reader and writer at the other end, event for event."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from network_peers import certificates, dv_reader, dv_writer, free_port, needs_openssl, until
from recording_files import random_events, same
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.aedat.aedat4_header import Compression
from spikebridge.settings import SourceSettings, TlsSettings
from spikebridge.sources import open_source
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.camera import NetCamera
from spikebridge.sources.net.publisher import Publisher
from spikebridge.sources.net.tls import publishing_context, reading_context

EVENTS = random_events(50_000, width=346, height=260)


def read_all(camera: NetCamera, n: int) -> EventArray:
    parts: list[EventArray] = []
    deadline_s = time.monotonic() + 10
    while sum(part.size for part in parts) < n and time.monotonic() < deadline_s:
        events = camera.read()
        if events is None:
            time.sleep(0.001)
        else:
            parts.append(events)
    return np.concatenate(parts)


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_events_of_its_writer_are_read(compression: str, tmp_path: Path) -> None:
    port = free_port()
    with dv_writer(tmp_path, EVENTS, port, compression=compression):
        camera = NetCamera(Address("127.0.0.1", port), None)
        assert same(read_all(camera, EVENTS.size), EVENTS)
        assert camera.sensor == Sensor(346, 260, "DVXplorer_123")
        assert camera.title == f"DVXplorer_123 at 127.0.0.1:{port}"
        report = camera.report()
        assert (report.dropped, report.out_of_order, report.interruptions, report.notes) == (0, 0, 0, ())
        camera.close()


def test_its_writer_is_a_source_with_regular_steps(tmp_path: Path) -> None:
    """The first steps of a live source, with every event in them or in a later one."""
    port = free_port()
    with dv_writer(tmp_path, EVENTS, port):
        source = open_source(f"net:127.0.0.1:{port}")
        assert (source.info.kind, source.info.uri) == ("live", f"net:127.0.0.1:{port}")
        found: list[EventArray] = []
        for packet in source.packets(10_000):
            found.append(packet.events)
            assert not packet.gap
            if sum(part.size for part in found) == EVENTS.size:
                source.close()
        together = np.concatenate(found)
        for name in ("x", "y", "polarity"):
            assert np.array_equal(together[name], EVENTS[name])
        assert source.counters().read == EVENTS.size


def publish_to(reader_folder: Path, compression: Compression, tls: dict[str, TlsSettings] | None = None) -> EventArray:
    """What its reader gets of ``EVENTS``, published in packets of many sizes, one of them of all there can be."""
    context = publishing_context(tls["server"]) if tls else None
    publisher = Publisher(Address("127.0.0.1", 0), Sensor(346, 260, "Cam & 1"), context, compression, patience_s=10)
    try:
        with dv_reader(reader_folder, publisher.address.port, EVENTS.size, tls["client"] if tls else None) as result:
            until(lambda: publisher.status().readers == 1)
            time.sleep(0.4)  # it hears signs of life meanwhile, which are packets without events
            start = 0
            for size in (1, 2, 1000, 17, 0, 10_000, EVENTS.size):
                publisher.publish(EVENTS[start : start + size])
                start = min(start + size, EVENTS.size)
            assert publisher.status().dropped == 0
            return result()
    finally:
        publisher.close()


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_its_reader_gets_what_is_published(compression: Compression, tmp_path: Path) -> None:
    assert same(publish_to(tmp_path, compression), EVENTS)


@needs_openssl
def test_encrypted_both_ways(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    assert same(publish_to(tmp_path, "NONE", made), EVENTS)
    port = free_port()
    with dv_writer(tmp_path, EVENTS, port, tls=made["server"]):
        camera = NetCamera(Address("127.0.0.1", port), reading_context(made["client"]))
        assert same(read_all(camera, EVENTS.size), EVENTS)
        camera.close()
        source = open_source(f"net:127.0.0.1:{port}", SourceSettings(tls=made["client"]))
        source.close()

"""Servers that go and come back, fall silent, or lose events."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from network_peers import dv_writer, free_port, python, read_for, sends, serving, until
from recording_files import same
from spikebridge.contracts import Source
from spikebridge.errors import MissingError
from spikebridge.events import EventArray, EventPacket, Sensor, make_events
from spikebridge.recordings.aedat.aedat4_header import header_bytes
from spikebridge.settings import SourceSettings
from spikebridge.sources import open_source
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.camera import NetCamera
from spikebridge.sources.net.wire import Packer

SENSOR = Sensor(12, 9, "Cam")
HEADER = header_bytes(SENSOR, "NONE")
PACKER = Packer("NONE")
#: Sends an event each millisecond, from the time given on.
_SERVER = """
import sys, time
from spikebridge.events import Sensor, make_events
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.publisher import Publisher
publisher = Publisher(Address("127.0.0.1", int(sys.argv[1])), Sensor(12, 9, "Cam"))
print("ready", flush=True)
t = int(sys.argv[2])
while True:
    publisher.publish(make_events([t], [3], [4], [1]))
    t += 1000
    time.sleep(0.001)
"""


def at(*times: int) -> EventArray:
    return make_events(times, [3] * len(times), [4] * len(times), [1] * len(times))


def packet(*times: int) -> bytes:
    return bytes(PACKER.events(at(*times)))


@contextmanager
def server(port: int, begin_us: int) -> Iterator[subprocess.Popen[str]]:
    with python(_SERVER, port, begin_us) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child


def named_within_s(camera: NetCamera) -> float:
    began_s = time.monotonic()
    while not camera.report().gone:
        camera.read()
        time.sleep(0.001)
        assert time.monotonic() - began_s < 10
    return time.monotonic() - began_s


def test_a_killed_server_is_named_within_a_second_and_goes_on_when_it_is_back() -> None:
    port = free_port()
    with server(port, 0) as first:
        camera = NetCamera(Address("127.0.0.1", port), None)
        assert read_for(camera, 0.3)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert named_within_s(camera) < 1
    (note,) = camera.report().notes
    assert note.startswith(f"Cam at 127.0.0.1:{port} is gone (")
    assert camera.report().interruptions == 0
    with server(port, 9_000_000):
        assert min(int(events["t"][0]) for events in read_for(camera, 2.0)) >= 9_000_000
        assert (camera.report().gone, camera.report().interruptions) == ("", 1)
        assert "was gone once, " in camera.report().notes[0]
    camera.close()


def test_a_server_that_stands_still_is_named_within_a_second() -> None:
    """As on a machine whose cable was pulled: nothing closes the connection."""
    port = free_port()
    with server(port, 0) as child:
        camera = NetCamera(Address("127.0.0.1", port), None)
        read_for(camera, 0.3)
        child.send_signal(signal.SIGSTOP)
        assert named_within_s(camera) < 1.1
        assert camera.report().gone == "it has fallen silent"
        child.send_signal(signal.SIGCONT)
        until(lambda: camera.read() is not None)
        assert camera.report().interruptions == 1
        camera.close()


def test_a_still_scene_is_not_taken_for_a_loss() -> None:
    """Signs of life come four times a second."""
    from spikebridge.sources.net.publisher import Publisher

    publisher = Publisher(Address("127.0.0.1", 0), SENSOR)
    camera = NetCamera(publisher.address, None)
    publisher.publish(at(1))
    assert len(read_for(camera, 1.5)) == 1
    assert camera.report().gone == ""
    camera.close()
    publisher.close()


def test_without_signs_of_life_silence_means_nothing() -> None:
    """dv-processing sends none."""
    over = threading.Event()
    with serving(sends(HEADER, packet(1), until=over)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        assert len(read_for(camera, 1.3)) == 1
        assert camera.report().gone == ""
        camera.close()
        over.set()


def steps_until(source: Source, n_events: int) -> list[EventPacket]:
    found: list[EventPacket] = []
    for each in source.packets(10_000):
        found.append(each)
        if sum(packet.events.size for packet in found) >= n_events:
            source.close()
    return found


def test_a_run_goes_on_as_a_gap_where_the_server_is_back() -> None:
    """What came before the end is given out; a clock that is far behind makes no late events and loses none."""
    over = threading.Event()
    with serving(
        sends(HEADER, packet(5_000_000, 5_015_000)),
        sends(HEADER, packet(1000, 5000, 12_500), until=over),
    ) as port:
        source = open_source(f"net:127.0.0.1:{port}")
        packets = steps_until(source, 5)
        (first_after,) = [i for i, each in enumerate(packets) if each.gap]
        before = packets[:first_after]
        assert [p.t_start_us for p in before[:2]] == [5_000_000, 5_010_000]
        assert [p.events["t"].tolist() for p in before[:2]] == [[5_000_000], [5_015_000]]
        assert sum(p.events.size for p in before) == 2
        after = np.concatenate([p.events for p in packets[first_after:]])
        assert np.diff(after["t"]).tolist() == [4000, 7500]
        assert [p.sequence for p in packets] == list(range(len(packets)))
        assert not any("too late" in note for note in source.counters().notes)
        over.set()


def test_a_clock_that_begins_again_is_a_gap_on_one_connection() -> None:
    """A recording that is published in a loop."""
    over = threading.Event()

    def turn(opened: socket.socket) -> None:
        sends(HEADER, packet(700_000), packet(710_000))(opened)
        time.sleep(0.1)
        sends(packet(5, 20_005), until=over)(opened)

    with serving(turn) as port:
        source = open_source(f"net:127.0.0.1:{port}")
        packets = steps_until(source, 4)
        (first_after,) = [i for i, each in enumerate(packets) if each.gap]
        assert [p.events["t"].tolist() for p in packets[:first_after] if p.events.size] == [[700_000], [710_000]]
        after = np.concatenate([p.events for p in packets[first_after:]])
        assert after.size == source.counters().read - 2 == 2
        over.set()


def test_without_reconnection_the_end_is_an_error() -> None:
    with serving(sends(HEADER, packet(1), packet(2))) as port:
        source = open_source(f"net:127.0.0.1:{port}", SourceSettings(reconnect=False))
        with pytest.raises(MissingError, match=r"found the server gone \(it closed the connection\); start it again"):
            list(source.packets(10_000))
        assert source.counters().read == 2


def test_a_sensor_of_another_size_is_not_taken_for_the_same() -> None:
    other = header_bytes(Sensor(20, 10, "Other"), "NONE")
    with serving(sends(HEADER), sends(other), sends(other), sends(HEADER, packet(7))) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        until(lambda: "20×10; open it anew" in " ".join(camera.report().notes) or camera.read() is not None)
        until(lambda: camera.read() is not None)
        assert camera.sensor == SENSOR
        camera.close()


def test_close_ends_the_search() -> None:
    with serving(sends(HEADER)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        named_within_s(camera)
        assert any(thread.name == "spikebridge-reconnect" for thread in threading.enumerate())
        camera.close()
        until(lambda: all(thread.name != "spikebridge-reconnect" for thread in threading.enumerate()), 2)


def test_what_the_server_has_not_sent_is_counted_and_makes_a_gap() -> None:
    over, more = threading.Event(), threading.Event()

    def turn(opened: object) -> None:
        sends(HEADER, bytes(PACKER.missed(0)), packet(0), until=more)(opened)  # type: ignore[arg-type]
        sends(bytes(PACKER.missed(1234)), packet(30_000), packet(45_000), until=over)(opened)  # type: ignore[arg-type]

    with serving(turn) as port:
        source = open_source(f"net:127.0.0.1:{port}")
        gaps = []
        for each in source.packets(10_000):
            more.set()
            if each.gap:
                gaps.append(each.t_start_us)
            if each.t_start_us >= 40_000:
                break
        assert len(gaps) == 1
        counters = source.counters()
        assert (counters.read, counters.dropped) == (3, 1234)
        assert counters.notes[0].startswith("1,234 events were lost before they were sent")
        source.close()
        over.set()


def test_losses_of_earlier_connections_stay_counted() -> None:
    first = sends(HEADER, bytes(PACKER.missed(10)), packet(1))
    over = threading.Event()
    outside = bytes(PACKER.events(make_events([1], [12], [0], [1])))
    second = sends(HEADER, bytes(PACKER.missed(5)), outside, packet(2), until=over)
    with serving(first, second) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        read_for(camera, 1.0)
        report = camera.report()
        assert (report.dropped, report.interruptions) == (16, 1)
        camera.close()
        over.set()


def test_packets_of_other_streams_and_damaged_ones_are_counted() -> None:
    other = bytearray(packet(1))
    other[0] = 9
    damaged = bytearray(packet(1))
    damaged[16:20] = b"FRME"
    over = threading.Event()
    with serving(sends(HEADER, bytes(other), bytes(damaged), packet(5), until=over)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        (events,) = read_for(camera, 0.3)
        assert same(events, at(5))
        report = camera.report()
        assert (report.skipped_bytes, report.notes) == (48, ("1 packets of other streams than events were left out.",))
        camera.close()
        over.set()


@pytest.mark.parametrize("compression", ["LZ4", "ZSTD"])
def test_packets_that_cannot_be_unpacked_are_counted(compression: str) -> None:
    packer = Packer(compression)  # type: ignore[arg-type]
    whole = bytes(packer.events(at(5)))
    damaged = whole[:8] + b"\0" * (len(whole) - 8)
    over = threading.Event()
    header = header_bytes(SENSOR, compression)  # type: ignore[arg-type]
    with serving(sends(header, damaged, whole, damaged, until=over)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        (events,) = read_for(camera, 0.3)
        assert same(events, at(5))
        assert camera.report().skipped_bytes == 2 * (len(whole) - 8)
        camera.close()
        over.set()


def test_nonsense_on_the_line_is_a_loss_of_the_connection() -> None:
    over = threading.Event()
    first = sends(HEADER, packet(5), b"\xff" * 64, until=over)
    with serving(first, sends(HEADER, packet(6), until=over)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        over_s = named_within_s(camera)
        assert over_s < 1
        assert camera.report().gone == "it sent what is no packet"
        over.set()
        until(lambda: camera.read() is not None)
        camera.close()


def test_a_packet_that_is_larger_than_the_buffer() -> None:
    n = 600_000
    events = make_events(np.arange(n), np.full(n, 3), np.full(n, 4), np.ones(n))
    over = threading.Event()
    with serving(sends(HEADER, PACKER.events(events), packet(n), until=over)) as port:
        camera = NetCamera(Address("127.0.0.1", port), None)
        found = read_for(camera, 1.0)
        assert same(np.concatenate(found), np.concatenate([events, at(n)]))
        camera.close()
        over.set()


def test_ctrl_c_ends_a_run_whose_server_is_gone() -> None:
    """It sent events for 0.4 s, which makes decisions, and left."""
    gone = threading.Event()
    with serving(sends(HEADER, packet(*range(0, 400_000, 1000)), until=gone)) as port:
        child = subprocess.Popen(
            [sys.executable, "-m", "spikebridge", "run", f"net:127.0.0.1:{port}", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert child.stdout is not None
            assert "t_us" in json.loads(child.stdout.readline())
            gone.set()
            time.sleep(0.5)
            assert child.poll() is None
            child.send_signal(signal.SIGINT)
            lines, _ = child.communicate(timeout=5)
        finally:
            gone.set()
            child.kill()
            child.communicate()
    summary = json.loads(lines.splitlines()[-1])["summary"]
    assert child.returncode == 0
    assert summary["events"]["read"] == 400
    assert "is gone (it closed the connection) and is waited for" in summary["notes"][0]


def test_dv_processing_killed_and_started_again(tmp_path: Path) -> None:
    port = free_port()
    size = (12, 9)
    with dv_writer(tmp_path, at(*range(1000, 90_000, 1000)), port, size=size, parts=2) as first:
        camera = NetCamera(Address("127.0.0.1", port), None)
        assert sum(events.size for events in read_for(camera, 1.0)) == 89
        first.send_signal(signal.SIGKILL)
        assert named_within_s(camera) < 1
    with dv_writer(tmp_path, at(5, 6, 7), port, size=size, parts=1):
        found: list[EventArray] = []
        until(lambda: bool(found.extend(read_for(camera, 0.05)) or found))
        assert same(np.concatenate(found), at(5, 6, 7))
        assert camera.report().interruptions == 1
        camera.close()

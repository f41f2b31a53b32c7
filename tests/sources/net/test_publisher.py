"""Readers of all kinds: quick, slow, silent, too many."""

from __future__ import annotations

import socket
import threading
import time

import numpy as np
import pytest

from network_peers import drained, read_for, until
from recording_files import random_events, same
from spikebridge.errors import MissingError, SpikebridgeError, UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.sources.net import publisher as module
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.camera import NetCamera
from spikebridge.sources.net.publisher import MOST_READERS, Publisher

SENSOR = Sensor(128, 128, "Cam")
HERE = Address("127.0.0.1", 0)


def at(first: int, n: int) -> EventArray:
    return make_events(np.arange(first, first + n), np.full(n, 3), np.full(n, 4), np.ones(n))


def test_every_reader_gets_all_of_it() -> None:
    publisher = Publisher(HERE, SENSOR)
    cameras = [NetCamera(publisher.address, None) for _ in range(3)]
    until(lambda: publisher.status().readers == 3)
    events = random_events(5000)
    publisher.publish(events)
    for camera in cameras:
        assert same(drained(camera, 5000), events)
        assert camera.report().dropped == 0
        camera.close()
    status = publisher.status()
    assert (status.connected, status.events, status.dropped) == (3, 5000, 0)
    publisher.publish(events[:0])
    publisher.close()
    publisher.close()


def test_more_events_than_one_packet_holds() -> None:
    publisher = Publisher(HERE, SENSOR)
    camera = NetCamera(publisher.address, None)
    until(lambda: publisher.status().readers == 1)
    publisher.publish(at(0, 200_000))
    assert same(drained(camera, 200_000), at(0, 200_000))
    camera.close()
    publisher.close()


def test_without_readers_nothing_is_lost() -> None:
    publisher = Publisher(HERE, SENSOR)
    publisher.publish(at(0, 10))
    publisher.finish(1)
    assert publisher.status() == module.PublisherStatus(0, 0, 10, 0)


def slow_and_quick(publisher: Publisher, said: list[str]) -> None:
    """One that takes nothing for a while, beside one that takes everything: every event is read or counted."""
    slow, quick = (NetCamera(publisher.address, None) for _ in range(2))
    until(lambda: publisher.status().readers == 2)
    n, size = 0, 50_000
    while publisher.status().dropped == 0:
        publisher.publish(at(n, size))
        drained(quick, size)
        n += size
        assert n < 50_000_000
    assert quick.report().dropped == 0
    dropped = publisher.status().dropped
    assert any(words.endswith(f"is too slow: {dropped:,} events were not sent to it so far.") for words in said)
    # Told before the first event that comes after the hole.
    found = np.concatenate(read_for(slow, 3.0))
    assert slow.report().dropped == dropped
    assert found.size + dropped == n
    assert np.flatnonzero(np.diff(found["t"]) > 1).size == 1
    assert int(np.diff(found["t"]).max()) == dropped + 1
    for camera in (slow, quick):
        camera.close()
    publisher.close()


def test_a_slow_reader_loses_events_in_one_hole_and_is_told() -> None:
    said: list[str] = []
    slow_and_quick(Publisher(HERE, SENSOR, say=said.append), said)


def test_a_recording_waits_for_a_slow_reader_but_not_for_ever() -> None:
    said: list[str] = []
    publisher = Publisher(HERE, SENSOR, patience_s=0.3, say=said.append)
    began_s = time.monotonic()
    slow_and_quick(publisher, said)
    assert time.monotonic() - began_s > 0.3


def test_events_that_are_old_are_dropped_though_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a reader that comes back sees the present."""
    monkeypatch.setattr(module, "MOST_WAIT_S", 0.1)
    publisher = Publisher(HERE, SENSOR)
    camera = NetCamera(publisher.address, None)
    until(lambda: publisher.status().readers == 1)
    n = 0
    while publisher.status().dropped == 0 and n < 20_000_000:
        publisher.publish(at(n, 10_000))
        n += 10_000
        time.sleep(0.005)
    assert 0 < publisher.status().dropped * 16 < module.MOST_BYTES // 2
    camera.close()
    publisher.close()


def test_what_the_source_lost_is_told_from_when_the_reader_came() -> None:
    publisher = Publisher(HERE, SENSOR)
    publisher.publish(at(0, 1), dropped_before=100)
    camera = NetCamera(publisher.address, None)
    until(lambda: publisher.status().readers == 1)
    publisher.publish(at(1, 1), dropped_before=100)
    read_for(camera, 0.1)
    assert camera.report().dropped == 0
    publisher.publish(at(2, 1), dropped_before=107)
    read_for(camera, 0.4)
    assert camera.report().dropped == 7
    camera.close()
    publisher.close()


def test_who_leaves_is_forgotten_and_said() -> None:
    said: list[str] = []
    publisher = Publisher(HERE, SENSOR, say=said.append)
    camera = NetCamera(publisher.address, None)
    until(lambda: publisher.status().readers == 1)
    camera.close()
    until(lambda: publisher.status().readers == 0)
    assert (publisher.status().connected, len(said)) == (1, 2)
    assert said[0].endswith(" reads.")
    assert " has left (" in said[1]
    publisher.close()


def test_too_many_are_turned_away() -> None:
    said: list[str] = []
    publisher = Publisher(HERE, SENSOR, say=said.append)
    cameras = [NetCamera(publisher.address, None) for _ in range(MOST_READERS)]
    with pytest.raises(SpikebridgeError, match=r"the end after 0 bytes|Connection reset"):
        NetCamera(publisher.address, None)
    until(lambda: any(words.endswith("was turned away: there are 10 readers already.") for words in said))
    for camera in cameras:
        camera.close()
    publisher.close()


def test_finish_brings_everything_to_who_reads_late() -> None:
    publisher = Publisher(HERE, SENSOR, patience_s=5)
    camera = NetCamera(publisher.address, None, reconnect=False)
    until(lambda: publisher.status().readers == 1)
    publisher.publish(at(0, 1_000_000))
    finishing = threading.Thread(target=publisher.finish, args=(10,))
    finishing.start()
    assert same(drained(camera, 1_000_000), at(0, 1_000_000))
    finishing.join()
    with pytest.raises(MissingError, match="it closed the connection"):
        read_for(camera, 1)
    camera.close()


def test_finish_does_not_wait_for_who_takes_nothing() -> None:
    publisher = Publisher(HERE, SENSOR)
    camera = NetCamera(publisher.address, None)
    until(lambda: publisher.status().readers == 1)
    publisher.publish(at(0, 1_500_000))
    began_s = time.monotonic()
    publisher.finish(0.3)
    assert time.monotonic() - began_s < 2
    camera.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_taken(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match=f"at {host}:{port}, found: Address already in use"):
            Publisher(Address(host, port), SENSOR)


@pytest.mark.parametrize("host", ["203.0.113.7", "nowhere.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(UsageError, match=f"expected to publish at {host}:7777, found: "):
        Publisher(Address(host, 7777), SENSOR)


def test_on_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    publisher = Publisher(Address("::1", 0), SENSOR)
    assert str(publisher.address).startswith("[::1]:")
    camera = NetCamera(publisher.address, None)
    assert camera.uri == f"net:{publisher.address}"
    camera.close()
    publisher.close()

"""Encrypted streams: both sides show certificates, and who does not belong is told why."""

from __future__ import annotations

import socket
import time
from typing import TypeAlias

import numpy as np
import pytest

from network_peers import certificates, drained, needs_openssl, until
from recording_files import same
from spikebridge.errors import MissingError
from spikebridge.events import Sensor, make_events
from spikebridge.settings import TlsSettings
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.camera import NetCamera
from spikebridge.sources.net.connection import connect
from spikebridge.sources.net.publisher import Publisher
from spikebridge.sources.net.tls import publishing_context, reading_context

pytestmark = needs_openssl

SENSOR = Sensor(128, 128, "Cam")
HERE = Address("127.0.0.1", 0)
EVENTS = make_events(np.arange(100_000), np.full(100_000, 3), np.full(100_000, 4), np.ones(100_000))
Made: TypeAlias = tuple[dict[str, TlsSettings], dict[str, TlsSettings]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Certificates of two authorities."""
    folder = tmp_path_factory.mktemp("certificates")
    return certificates(folder), certificates(folder, "stranger")


def test_events_arrive(made: Made) -> None:
    publisher = Publisher(HERE, SENSOR, publishing_context(made[0]["server"]))
    for host in ("127.0.0.1", "localhost"):
        camera = NetCamera(Address(host, publisher.address.port), reading_context(made[0]["client"]))
        until(lambda: publisher.status().readers == 1)
        time.sleep(0.1)
        publisher.publish(EVENTS)
        assert same(drained(camera, EVENTS.size), EVENTS)
        camera.close()
        until(lambda: publisher.status().readers == 0)
    publisher.close()


def test_a_reader_without_a_certificate_is_refused(made: Made) -> None:
    said: list[str] = []
    publisher = Publisher(HERE, SENSOR, publishing_context(made[0]["server"]), say=said.append)
    with pytest.raises(MissingError, match=r"expected an encrypted stream at .*, found: .*; check that the server"):
        NetCamera(publisher.address, reading_context(TlsSettings(made[0]["client"].ca)))
    until(lambda: any("has left (" in words for words in said))
    publisher.close()


def test_a_reader_of_another_authority_is_refused(made: Made) -> None:
    publisher = Publisher(HERE, SENSOR, publishing_context(made[0]["server"]))
    with pytest.raises(MissingError, match=r"expected a certificate for '127.0.0.1' that --tls-ca vouches for, fou"):
        NetCamera(publisher.address, reading_context(made[1]["client"]))
    publisher.close()


def test_a_server_of_another_name_is_refused(made: Made) -> None:
    publisher = Publisher(Address("::1", 0), SENSOR, publishing_context(made[0]["server"]))
    with pytest.raises(MissingError, match=r"found: IP address mismatch"):
        NetCamera(publisher.address, reading_context(made[0]["client"]))
    publisher.close()


def test_a_reader_in_the_clear_hears_nothing(made: Made) -> None:
    publisher = Publisher(HERE, SENSOR, publishing_context(made[0]["server"]))
    with pytest.raises(MissingError, match=r"says nothing; check the port, and --tls-ca, --tls-cert and --tls-key"):
        connect(publisher.address, None, 0.5)
    publisher.close()


def test_an_encrypted_reader_of_a_stream_in_the_clear(made: Made) -> None:
    publisher = Publisher(HERE, SENSOR)
    with pytest.raises(MissingError, match=r"expected an encrypted stream at .*, found: "):
        NetCamera(publisher.address, reading_context(made[0]["client"]))
    publisher.close()


def test_close_does_not_wait_for_who_never_shakes_hands(made: Made) -> None:
    publisher = Publisher(HERE, SENSOR, publishing_context(made[0]["server"]))
    with socket.create_connection(("127.0.0.1", publisher.address.port)):
        until(lambda: publisher.status().readers == 1)
        began_s = time.monotonic()
        publisher.close()
        assert time.monotonic() - began_s < 1

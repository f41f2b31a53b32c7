"""Servers that are not there, say nothing, or something else: a sentence each, within five seconds."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from network_peers import free_port, sends, serving
from spikebridge.errors import InputError, MissingError, SpikebridgeError
from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_header import header_bytes
from spikebridge.sources import open_source
from spikebridge.sources.net import connection
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.connection import connect

HEADER = header_bytes(Sensor(12, 9, "Cam"), "NONE")


def refused(port: int, kind: type[SpikebridgeError], words: str, host: str = "127.0.0.1") -> None:
    began_s = time.monotonic()
    with pytest.raises(kind, match=words) as caught:
        open_source(f"net:{host}:{port}")
    assert time.monotonic() - began_s < 5
    assert str(caught.value).endswith(".")


def test_nobody_listens() -> None:
    port = free_port()
    refused(
        port, MissingError, f"network stream at 127.0.0.1:{port}, found: Connection refused; start 'spikebridge pub"
    )


def test_a_host_that_is_not_known() -> None:
    refused(7777, MissingError, "expected a host named 'nowhere.invalid', found: ", "nowhere.invalid")


def test_a_host_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full queue of connections takes no more, and says nothing: as a machine that is off, or a firewall."""
    monkeypatch.setattr(connection, "OPEN_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        place = listener.getsockname()
        with socket.create_connection(place):
            pending = [socket.socket() for _ in range(3)]
            for one in pending:
                one.setblocking(False)
                one.connect_ex(place)
            with pytest.raises(MissingError, match="found nobody who answers; check the address"):
                connect(Address(*place), None, 0.5)
            for one in pending:
                one.close()


def test_a_server_that_says_nothing() -> None:
    over = threading.Event()
    with serving(sends(until=over)) as port:
        refused(port, MissingError, "found a server that says nothing; check the port, and --tls-ca")
        over.set()


def test_a_server_that_stops_within_its_header() -> None:
    over = threading.Event()
    with serving(sends(HEADER[:300], until=over)) as port:
        with pytest.raises(MissingError, match="says nothing"):
            connect(Address("127.0.0.1", port), None, 0.3)
        over.set()


def test_a_server_that_drips_is_given_no_more_time() -> None:
    """A byte now and then must not begin the time anew."""

    def drip(opened: socket.socket) -> None:
        for byte in HEADER:
            opened.sendall(bytes([byte]))
            time.sleep(0.05)

    began_s = time.monotonic()
    with serving(drip) as port:
        with pytest.raises(MissingError, match="says nothing"):
            connect(Address("127.0.0.1", port), None, 0.5)
        assert time.monotonic() - began_s < 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", r"found bytes of another kind \(b'SSH-2.0-Open'\)"),
        (b"", r"found the end after 0 bytes"),
        (b"\x10\0\0\0", r"found the end after 4 bytes"),
        (HEADER[:200], r"found the end after 188 bytes"),
        (b"\xff\xff\xff\xff" + HEADER[4:], "bytes of another kind"),
        (b"\x01\0\0\0" + HEADER[4:], "bytes of another kind"),
        (HEADER[:12] + b"\xff" * (len(HEADER) - 12), "a header that cannot be read"),
        (HEADER.replace(b"EVTS", b"FRME"), "a stream of FRME instead of events"),
        (b"\x15\x03\x01\0\x02\x02\x46" + bytes(9), "bytes of another kind"),
    ],
)
def test_a_server_of_another_kind(content: bytes, words: str) -> None:
    with serving(sends(content)) as port:
        refused(port, InputError, words)


def test_what_comes_with_the_header_is_not_lost() -> None:
    with serving(sends(HEADER + b"more")) as port:
        opened = connect(Address("127.0.0.1", port), None)
        assert opened.header.sensor == Sensor(12, 9, "Cam")
        opened.socket.setblocking(True)
        assert opened.socket.recv(10) == b"more"
        opened.socket.close()

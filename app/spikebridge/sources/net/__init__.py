"""Events over a network, as dv-processing's NetworkReader and NetworkWriter exchange them.

By the program's own code over a socket. dv-processing 2.0.4 holds the interpreter while it waits for a server: the
window stands still, Ctrl-C does nothing, and a server that says nothing is waited for without an end. It takes events
one by one to write them, and says nothing of loss.
"""

from __future__ import annotations

from spikebridge.errors import UsageError
from spikebridge.settings import SourceSettings
from spikebridge.sources.live import LiveSource
from spikebridge.sources.net.address import read_address
from spikebridge.sources.net.camera import NetCamera
from spikebridge.sources.net.tls import reading_context


def open_net(uri: str, settings: SourceSettings) -> LiveSource:
    """The stream that ``net:host:port`` names."""
    address = read_address(uri.removeprefix("net:"))
    if address is None or not address.port:
        raise UsageError(f"expected 'net:host:port' with a port of 1 to 65535, found '{uri}'.")
    return LiveSource(NetCamera(address, reading_context(settings.tls), reconnect=settings.reconnect))

"""Connects to a network stream: everything up to its header, within a deadline."""

from __future__ import annotations

import queue
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass

from spikebridge.errors import InputError, MissingError, SpikebridgeError
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.wire import MOST_HEADER_BYTES, StreamHeader, WireError, read_stream

#: Within this it is known whether a stream is there, s.
OPEN_WITHIN_S = 4.5
#: A peer that is gone without a word is given up after so many seconds and as many unanswered questions.
_KEEPALIVE_S, _KEEPALIVE_N = 1, 3
_RECEIVE_BYTES = 4 << 20
#: Length and place of the table, then the four letters of a header.
_BEGIN_BYTES = 12


@dataclass(frozen=True, slots=True)
class Connection:
    """An open stream whose header was read; ``socket`` does not block."""

    socket: socket.socket
    header: StreamHeader


def connect(address: Address, context: ssl.SSLContext | None, within_s: float = OPEN_WITHIN_S) -> Connection:
    """The stream at ``address``. Raises MissingError where none is, InputError where something else is."""
    deadline_s = time.monotonic() + within_s
    opened = _open_socket(address, deadline_s)
    try:
        opened.settimeout(_left_s(deadline_s))
        if context is not None:
            opened = context.wrap_socket(opened, server_hostname=address.host)
        header = _receive_header(opened, address, deadline_s)
        opened.setblocking(False)
        return Connection(opened, header)
    except (OSError, WireError, SpikebridgeError) as error:
        opened.close()
        raise _translated(error, address, context is not None) from error


def _open_socket(address: Address, deadline_s: float) -> socket.socket:
    error: OSError = TimeoutError()
    for family, kind, protocol, _, place in _resolve(address, deadline_s):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            _keep_alive(opened)
            opened.settimeout(_left_s(deadline_s))
            opened.connect(place)
            return opened
        except OSError as failure:
            opened.close()
            error = failure
    if isinstance(error, TimeoutError):
        raise MissingError(
            f"expected a network stream at {address}, found nobody who answers; check the address, and that no "
            "firewall is between."
        ) from error
    raise MissingError(
        f"expected a network stream at {address}, found: {error.strerror or error}; start 'spikebridge publish' "
        "there, or check the address."
    ) from error


def _resolve(address: Address, deadline_s: float) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """What ``getaddrinfo`` says; it can't be given a deadline, so that it waits on a thread of its own."""
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="spikebridge-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=_left_s(deadline_s))
    except queue.Empty:
        answer = TimeoutError("no answer from the name server")
    if isinstance(answer, list):
        return answer
    reason = (answer.strerror if isinstance(answer, OSError) else "") or str(answer)
    raise MissingError(f"expected a host named '{address.host}', found: {reason}; check the name.")


def _keep_alive(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", _KEEPALIVE_S),
        ("TCP_KEEPINTVL", _KEEPALIVE_S),
        ("TCP_KEEPCNT", _KEEPALIVE_N),
    ):
        if hasattr(socket, option):  # under other names, or not at all, on other systems
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _receive_header(opened: socket.socket, address: Address, deadline_s: float) -> StreamHeader:
    begin = _receive(opened, _BEGIN_BYTES, deadline_s)
    (size,) = struct.unpack_from("<I", begin)
    if begin[8:] != b"IOHE" or not _BEGIN_BYTES - 4 <= size <= MOST_HEADER_BYTES:
        raise WireError(f"bytes of another kind ({begin!r})")
    return read_stream(begin[4:] + _receive(opened, size + 4 - _BEGIN_BYTES, deadline_s))


def _receive(opened: socket.socket, n: int, deadline_s: float) -> bytes:
    content = b""
    while len(content) < n:
        opened.settimeout(_left_s(deadline_s))
        part = opened.recv(n - len(content))
        if not part:
            raise WireError(f"the end after {len(content)} bytes ({content[:12]!r})")
        content += part
    return content


def _left_s(deadline_s: float) -> float:
    return max(deadline_s - time.monotonic(), 0.01)


def _translated(error: Exception, address: Address, encrypted: bool) -> SpikebridgeError:
    if isinstance(error, SpikebridgeError):
        return error
    if isinstance(error, TimeoutError):
        other = "--tls-ca, --tls-cert and --tls-key if it is encrypted" if not encrypted else "that it is encrypted"
        return MissingError(
            f"expected a network stream at {address}, found a server that says nothing; check the port, and {other}."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return MissingError(
            f"expected a certificate for '{address.host}' that --tls-ca vouches for, found: {error.verify_message}; "
            "take the authority's certificate, or have one issued for that name."
        )
    if isinstance(error, ssl.SSLError):
        return MissingError(
            f"expected an encrypted stream at {address}, found: {error.reason or error}; check that the server "
            "encrypts, and takes the certificate of --tls-cert."
        )
    if isinstance(error, OSError):
        return MissingError(
            f"expected a network stream at {address}, found: {error.strerror or error}; check the server, and whether "
            "it asks for a certificate."
        )
    return InputError(
        f"expected the stream of a dv-processing server at {address}, found {error}; check the port, and whether it "
        "is encrypted."
    )

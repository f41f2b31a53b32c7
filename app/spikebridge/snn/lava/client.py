"""The program's end of a Lava worker: starts it, speaks to it with deadlines, ends it without a trace.

A request is answered or refused within its deadline, whatever Lava does; after ``close`` no process of it is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from spikebridge.errors import MissingError, StageError
from spikebridge.snn.lava.worker import wire

_WORKER = Path(__file__).resolve().parent / "worker"
_END_S = 1.0
_LOG_TAIL = 400


class Worker:
    """One worker process. Not thread safe but for ``close``, which any thread may call at any time.

    python : an interpreter that has Lava. import_path : further folders for its imports (lava-loihi, nxcore).
    """

    def __init__(self, python: Path, import_path: str = "") -> None:
        if not hasattr(socket, "socketpair") or not hasattr(os, "fork"):
            raise MissingError("expected Linux or macOS for Lava's processes, found neither; use the emulator.")
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._closing = threading.Lock()
        self._connection, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [str(python), "-s", str(_WORKER), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(theirs.fileno(),),
                env=_environment(import_path),
                start_new_session=True,
            )
        except OSError as error:
            self._connection.close()
            self._log.close()
            raise MissingError(
                f"expected an interpreter with Lava at {python}, found: {error.strerror}; name one with "
                "SPIKEBRIDGE_LAVA_PYTHON or run spikebridge lava-setup."
            ) from error
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def request(
        self,
        kind: bytes,
        payload: bytes,
        wanted: bytes,
        within_s: float,
        on_other: Callable[[bytes, Mapping[str, object]], None] | None = None,
    ) -> bytes:
        """The payload of the frame of kind ``wanted`` that answers; other frames, in JSON, go to ``on_other``.

        After any error the worker is told to end. Raises StageError, or MissingError when Lava lacks a part.
        """
        deadline_s = time.monotonic() + within_s
        try:
            wire.send(self._connection, kind, payload, deadline_s)
            while True:
                found, answer = wire.receive(self._connection, deadline_s)
                if found == wanted:
                    return answer
                if found == wire.FAILED:
                    raise _failure(wire.unpack(answer))
                if on_other is not None:
                    on_other(found, wire.unpack(answer))
        except TimeoutError as error:
            self.end()
            sentence = f"expected Lava to answer within {within_s:g} s, found it hung"
            raise StageError("snn", f"{sentence}; it was ended and has to be started again.", restarts=True) from error
        except wire.ClosedError as error:
            words = self._last_words()
            self.end()
            raise StageError(
                "snn",
                f"expected Lava to answer, found its process ended{words}; it has to be started again.",
                restarts=True,
            ) from error
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Orders the end of every process of the worker and does not wait for it."""
        # Closing the socket is the order: the guard then kills all that descends from it, and itself last.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Returns when every process of the worker is gone; may be called twice."""
        self.end()
        with self._closing:
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._connection.close()
            self._log.close()

    def _last_words(self) -> str:
        try:
            size = self._log.seek(0, os.SEEK_END)
            self._log.seek(max(0, size - _LOG_TAIL))
            lines = self._log.read().decode(errors="replace").strip().splitlines()
        except (OSError, ValueError):
            return ""
        errors = [line.strip() for line in lines if "Error" in line]
        return f" (its last words: {errors[-1]})" if errors else ""


def _failure(fields: Mapping[str, object]) -> StageError | MissingError:
    sentence = str(fields["sentence"])
    if fields.get("missing"):
        return MissingError(sentence)
    words = f"expected Lava to run the network, found: {sentence}; it has to be started again."
    return StageError("snn", words, restarts=True)


def _environment(import_path: str) -> dict[str, str]:
    # The program's own import settings are for another Python.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if import_path:
        environment["PYTHONPATH"] = import_path
    # One thread per process: Lava runs many processes, and more threads only get in each other's way.
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return environment

"""Event rate over a recording, for the seek bar: counted once, in the background, in small pieces."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import SpikebridgeError

BINS = 256
#: Longest piece counted at once: the replay waits for no more than this to be looked through.
_PIECE_US = 1_000_000
#: Pieces of a bin never grow more numerous than this; a recording of days is counted in longer ones.
_PIECES_PER_BIN = 64


class Overview:
    """Rates over ``[t_first_us, t_last_us]``, computed by a thread that starts with the first question.

    count : (t_start_us, t_stop_us) → how many events, or None once the recording is closed; thread safe.
    """

    def __init__(self, count: Callable[[int, int], int | None], t_first_us: int, t_last_us: int) -> None:
        self._count = count
        self._first_us = t_first_us
        self._last_us = t_last_us
        self._rates = np.zeros(0, np.float32)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def rates(self) -> NDArray[np.float32]:
        """(256,) events per second, or (0,) while they are being counted."""
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._compute, name="spikebridge-overview", daemon=True)
                self._thread.start()
        return self._rates

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout=0.2)

    def _compute(self) -> None:
        edges_us = np.linspace(self._first_us, self._last_us + 1, BINS + 1).astype(np.int64)
        counts = np.zeros(BINS, np.int64)
        for i in range(BINS):
            start_us, stop_us = int(edges_us[i]), int(edges_us[i + 1])
            piece_us = max(_PIECE_US, (stop_us - start_us) // _PIECES_PER_BIN)
            for t_us in range(start_us, stop_us, piece_us):
                n = self._counted(t_us, min(t_us + piece_us, stop_us))
                if n is None or self._closing.is_set():
                    return
                counts[i] += n
        rates = (counts * 1e6 / np.maximum(np.diff(edges_us), 1)).astype(np.float32)
        rates.flags.writeable = False
        self._rates = rates

    def _counted(self, t_start_us: int, t_stop_us: int) -> int | None:
        try:
            return self._count(t_start_us, t_stop_us)
        except SpikebridgeError:
            # The replay itself comes upon what is wrong with the file and says so; here nothing is shown then.
            return None

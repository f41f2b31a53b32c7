"""A camera of the table while it is open: waited for when it is unplugged, and the same one again when it is back."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable

from spikebridge.errors import SpikebridgeError
from spikebridge.events import EventArray
from spikebridge.sources.cameras.found import NoCameraError
from spikebridge.sources.live import Camera, CameraReport, Detailed, Reporting

#: Between two looks for a camera that is gone.
TRY_EVERY_S = 0.25


class PluggedCamera:
    """``camera`` as ``live.Camera``, ``live.Reporting`` and ``live.Detailed``.

    reopen : opens the same camera again, or raises what keeps it from that; None where nobody waits for it, and
    ``read`` raises OSError. notes : sentences on its connection. From one thread but for ``report``.
    """

    def __init__(
        self,
        camera: Camera,
        reopen: Callable[[], Camera] | None,
        notes: tuple[str, ...] = (),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri, self.title, self.sensor = camera.uri, camera.title, camera.sensor
        self.details: tuple[str, ...] = ()
        self.counts_losses = False
        if isinstance(camera, Detailed):
            self.details, self.counts_losses = camera.details, camera.counts_losses
        self._camera: Camera | None = camera
        self._reopen, self._notes, self._clock_s = reopen, notes, clock_s
        self._before = CameraReport()
        self._gone_s = self._away_s = 0.0
        self._seeker: _Seeker | None = None

    def read(self) -> EventArray | None:
        """Nothing while the camera is gone and waited for."""
        if self._camera is None:
            self._look_for_it()
            return None
        try:
            return self._camera.read()
        except OSError:
            if self._reopen is None:
                raise
            self._lose(self._camera, self._reopen)
            return None

    def report(self) -> CameraReport:
        camera, seeker = self._camera, self._seeker
        now = camera.report() if camera is not None and isinstance(camera, Reporting) else CameraReport()
        before = self._before
        times = before.interruptions
        return CameraReport(
            dropped=before.dropped + now.dropped,
            out_of_order=before.out_of_order + now.out_of_order,
            skipped_bytes=before.skipped_bytes + now.skipped_bytes,
            interruptions=times,
            gone="" if camera is not None else seeker.gone if seeker is not None else "",
            notes=(*self._notes, *before.notes, *now.notes, *_told(times, self._away_s)),
        )

    def close(self) -> None:
        if self._seeker is not None:
            self._seeker.end()
        if self._camera is not None:
            self._camera.close()

    def _lose(self, camera: Camera, reopen: Callable[[], Camera]) -> None:
        report = camera.report() if isinstance(camera, Reporting) else CameraReport()
        before = self._before
        self._before = dataclasses.replace(
            before,
            dropped=before.dropped + report.dropped,
            out_of_order=before.out_of_order + report.out_of_order,
            skipped_bytes=before.skipped_bytes + report.skipped_bytes,
            notes=tuple(dict.fromkeys((*before.notes, *report.notes))),
        )
        self._gone_s = self._clock_s()
        self._seeker = _Seeker(reopen)
        self._camera = None
        # Some drivers hold on to a camera that is gone until they are told.
        with contextlib.suppress(Exception):
            camera.close()
        self._seeker.start()

    def _look_for_it(self) -> None:
        found = self._seeker.take() if self._seeker is not None else None
        if found is None:
            return
        self._away_s += self._clock_s() - self._gone_s
        self._before = dataclasses.replace(self._before, interruptions=self._before.interruptions + 1)
        self._camera, self._seeker = found, None


def _told(times: int, away_s: float) -> tuple[str, ...]:
    if not times:
        return ()
    how_often = "once" if times == 1 else f"{times} times"
    return (f"the camera was gone {how_often}, {away_s:.1f} s in all; it was waited for, and the networks began anew.",)


class _Seeker:
    """Tries to open a camera on a thread of its own, since that may take a second, until it is found or not wanted."""

    def __init__(self, reopen: Callable[[], Camera]) -> None:
        self.gone = "camera unplugged, waiting for it …"
        self._reopen = reopen
        self._found: Camera | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._seek, name="spikebridge-camera", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self) -> Camera | None:
        """The camera, once."""
        with self._lock:
            found, self._found = self._found, None
        return found

    def end(self) -> None:
        """Does not wait: what is opened too late is closed again."""
        self._ended.set()
        found = self.take()
        if found is not None:
            found.close()

    def _seek(self) -> None:
        while not self._ended.wait(TRY_EVERY_S):
            try:
                camera = self._reopen()
            except NoCameraError:
                continue
            except SpikebridgeError as error:
                # It is back, and something else keeps it: that is what has to be done now.
                self.gone = f"waiting for the camera: {error}"
                continue
            with self._lock:
                self._found = camera
            if self._ended.is_set():
                self.end()
            return

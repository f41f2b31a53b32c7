"""Streams of events, live or replayed, and how a SOURCE argument is read.

SOURCE: ``sim:`` or ``sim:<gesture>``, a path, ``camera:``, ``camera:<family>``, ``camera:<family>/<serial>``,
``net:host:port``. Anything else is a path and must exist: a typo never opens a camera.
"""

from __future__ import annotations

import math
from pathlib import Path

from spikebridge.contracts import LABELS, Source
from spikebridge.errors import UsageError
from spikebridge.settings import CameraSettings, SourceSettings


def open_source(uri: str | Path, settings: SourceSettings | None = None) -> Source:
    """The source that a SOURCE argument names, played as ``settings`` say."""
    settings = settings or SourceSettings()
    source = _open_unfiltered(uri, settings)
    if not settings.filters:
        return source
    from spikebridge.sources.filtered import filtered

    return filtered(source, settings.filters)


def _open_unfiltered(uri: str | Path, settings: SourceSettings) -> Source:
    scheme, colon, rest = str(uri).partition(":")
    if settings.camera != CameraSettings() and scheme != "camera":
        raise UsageError(
            f"expected a camera for --bias, --erc-rate, --roi, --antiflicker or --camera-preset, found '{uri}'; leave "
            "them out."
        )
    if colon and scheme == "sim":
        return _open_simulated(rest, settings.speed, settings.seed)
    if colon and scheme == "camera":
        from spikebridge.sources.cameras.opening import open_camera

        return open_camera(str(uri), settings)
    if colon and scheme == "net":
        from spikebridge.sources.net import open_net

        return open_net(str(uri), settings)
    from spikebridge.recordings import open_recording
    from spikebridge.sources.replay import Replay

    return Replay(
        open_recording(uri, settings.read), speed=settings.speed, loop=settings.loop, max_gap_us=settings.max_gap_us
    )


def _open_simulated(gesture: str, speed: float, seed: int | None) -> Source:
    if gesture and gesture not in LABELS:
        raise UsageError(f"expected 'sim:' or 'sim:' and one of {', '.join(LABELS)}, found 'sim:{gesture}'.")
    if speed not in (1.0, math.inf):
        raise UsageError(
            f"expected speed 1 or max for the simulated camera, found {speed:g}; only recordings have others."
        )
    from spikebridge.simulator.camera import SimulatedCamera

    return SimulatedCamera(gesture or None, seed, paced=speed == 1.0)

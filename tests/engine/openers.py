"""What tests open in the chain's process; functions of a module, since they are sent by name."""

from __future__ import annotations

import math
import os
import time

import numpy as np

from small_recordings import moving_column
from spikebridge.bundle import AccumulatorSpec, AnnSpec, Bundle, DecisionSpec, InputSpec
from spikebridge.chain import Chain
from spikebridge.contracts import LABELS, Features, Logits, Say
from spikebridge.errors import InputError, StageError
from spikebridge.events import Sensor
from spikebridge.power import PowerMonitor
from spikebridge.run.pipeline import Pipeline
from spikebridge.settings import RunSettings
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording, FixedAnn

SENSOR = Sensor(8, 8)


def bundle() -> Bundle:
    from pathlib import Path

    return Bundle(
        "tiny", "test", Path(), InputSpec(8, 8, 10_000, 1, "center"), None, AccumulatorSpec(4, 2, 1),
        AnnSpec(Path(), (4, 8, 8)), DecisionSpec(LABELS, 0, 0.5, 1.0),
    )  # fmt: skip


def columns(features: Features) -> Logits:
    """The label of the column with the most events."""
    logits = np.zeros(len(LABELS), np.float32)
    logits[:8] = features.sum((0, 1))
    return logits


def open_test_pipeline(uri: str, settings: RunSettings, say: Say) -> Pipeline:
    """``tiny:<speed>`` plays a recording of 0.3 s; other words do what they say."""
    if uri == "missing":
        raise InputError("expected a recording, found none.")
    if uri == "fault":
        raise ZeroDivisionError("a fault of the program")
    if uri == "unsendable":
        raise StageWithALockError
    if uri == "slow":
        while True:
            say("still at it")
            time.sleep(0.01)
    if uri == "dies while it opens":
        os._exit(3)
    if uri == "failing stage":
        ann = FixedAnn(_broken)
        return _pipeline(ann, 1.0, 1)
    speed = math.inf if uri.endswith("max") else float(uri.removeprefix("tiny:"))
    return _pipeline(FixedAnn(columns), speed, len(settings.lanes), loop=settings.source.loop)


def _pipeline(ann: FixedAnn, speed: float, lanes: int, loop: bool = False) -> Pipeline:
    source = Replay(ArrayRecording(moving_column(), SENSOR), speed=speed, loop=loop)
    chains = {f"lane {n}": Chain(bundle(), None, ann, SENSOR) for n in range(lanes)}
    return Pipeline(source, chains, PowerMonitor(()))


def _broken(features: Features) -> Logits:
    raise StageError("ann", "expected an answer, found none.", restarts=False)


class StageWithALockError(Exception):
    """An error that cannot be sent to another process."""

    def __init__(self) -> None:
        import threading

        super().__init__("locked")
        self.lock = threading.Lock()

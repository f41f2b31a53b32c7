"""A run without a window: JSON lines, a live text dashboard on a terminal, or only the summary."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

from spikebridge.contracts import Decision, Say
from spikebridge.errors import CancelledError
from spikebridge.pipeline import Pipeline
from spikebridge.report import RunReport, decision_object, summary_text
from spikebridge.runtime import RunSettings, open_pipeline


def run_headless(uri: str, settings: RunSettings, *, seconds: float | None, as_json: bool) -> None:
    """Runs until the source ends, ``seconds`` of the stream have passed, or Ctrl-C; then prints the summary."""
    stop = threading.Event()
    pipeline = open_pipeline(uri, settings, say=_teller(stop))
    pipeline.say = _teller(stop)
    report = RunReport(pipeline)
    try:
        with _view(pipeline, as_json) as show, _stop_on_signal(stop):
            for decision in _until(pipeline, seconds, stop):
                report.add(decision)
                show(decision)
    finally:
        pipeline.close()
    summary = report.summary()
    _write(json.dumps({"summary": summary}) if as_json else summary_text(summary))


def _teller(stop: threading.Event) -> Say:
    """Words go to standard error, each once; what is slow is given up on Ctrl-C."""
    last = ""

    def say(words: str) -> None:
        nonlocal last
        if stop.is_set():
            raise CancelledError("stopped while a stage was starting")
        if words != last:
            last = words
            sys.stderr.write(f"spikebridge: {words} …\n")
            sys.stderr.flush()

    return say


def _view(pipeline: Pipeline, as_json: bool) -> AbstractContextManager[Callable[[Decision], None]]:
    if as_json:
        return nullcontext(lambda decision: _write(json.dumps(decision_object(decision))))
    if sys.stdout.isatty():
        from spikebridge.dashboard import dashboard

        return dashboard(pipeline)
    return nullcontext(lambda decision: None)


def _until(pipeline: Pipeline, seconds: float | None, stop: threading.Event) -> Iterator[Decision]:
    """Decisions of the first ``seconds`` on the camera's clock, so that the end is the same at any speed."""
    first_us: int | None = None
    for decision in pipeline.decisions():
        if stop.is_set():
            return
        yield decision
        first_us = decision.t_us if first_us is None else first_us
        if seconds is not None and decision.t_us - first_us >= seconds * 1e6:
            return


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set ``stop`` instead of breaking into the middle of a step."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

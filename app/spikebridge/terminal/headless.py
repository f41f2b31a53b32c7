"""A run without a window: JSON lines, a live text dashboard on a terminal, or only the summary."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import FrameType

from spikebridge.contracts import Say
from spikebridge.errors import CancelledError
from spikebridge.run.opening import open_pipeline
from spikebridge.run.pipeline import LaneDecision, Pipeline
from spikebridge.settings import RunSettings
from spikebridge.snapshot import Snapshot, Watcher
from spikebridge.terminal.marks import MarkLines
from spikebridge.terminal.objects import decision_object, summary_object


def run_headless(
    uri: str, settings: RunSettings, *, seconds: float | None, as_json: bool, watchers: Sequence[Watcher] = ()
) -> None:
    """Runs until the source ends, ``seconds`` of the stream have passed, or Ctrl-C; then prints the summary."""
    stop = threading.Event()
    pipeline = open_pipeline(uri, settings, _teller(stop))
    pipeline.say_to(_teller(stop))
    names = [None] if len(pipeline.lanes) == 1 else [lane.name for lane in pipeline.lanes]
    try:
        with ExitStack() as entered:
            entered.enter_context(_stop_on_signal(stop))
            refresh = entered.enter_context(_view(pipeline, as_json))
            marks = MarkLines(pipeline.mark, _tell) if settings.record.keeps else None
            tell_waiting = _waiting_teller(pipeline)
            for watcher in watchers:
                entered.enter_context(watcher(pipeline.snapshot))
            for item in _until(pipeline, seconds, stop):
                if item is not None and as_json:
                    lane, decision = item
                    _write(json.dumps(decision_object(decision, names[lane])))
                if marks is not None:
                    marks.look()
                tell_waiting()
                refresh()
    finally:
        pipeline.close()
    _summarise(pipeline.snapshot(), as_json)


def _summarise(snapshot: Snapshot, as_json: bool) -> None:
    if as_json:
        _write(json.dumps({"summary": summary_object(snapshot)}))
        return
    from spikebridge.terminal.summary import print_summary

    print_summary(snapshot)


def _tell(words: str) -> None:
    sys.stderr.write(f"spikebridge: {words}\n")
    sys.stderr.flush()


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


def _waiting_teller(pipeline: Pipeline) -> Callable[[], None]:
    """Says, once each, that a camera is gone and that it is back."""
    told = ""

    def tell() -> None:
        nonlocal told
        waiting_for = pipeline.source.counters().waiting_for
        if waiting_for == told:
            return
        sys.stderr.write(f"spikebridge: {waiting_for or 'the camera is back'}\n")
        sys.stderr.flush()
        told = waiting_for

    return tell


def _view(pipeline: Pipeline, as_json: bool) -> AbstractContextManager[Callable[[], None]]:
    if not as_json and sys.stdout.isatty():
        from spikebridge.terminal.dashboard import dashboard

        return dashboard(pipeline.snapshot)
    return nullcontext(lambda: None)


def _until(pipeline: Pipeline, seconds: float | None, stop: threading.Event) -> Iterator[LaneDecision | None]:
    """What comes in the first ``seconds`` on the camera's clock, so that the end is the same at any speed. The clock
    begins again when a recording does, and goes on counting here."""
    passed_us, before_us = 0, None
    for item in pipeline.decisions():
        if stop.is_set():
            return
        yield item
        if item is None or item[0] != 0:
            continue
        t_us = item[1].t_us
        passed_us += 0 if before_us is None else max(0, t_us - before_us)
        before_us = t_us
        if seconds is not None and passed_us >= seconds * 1e6:
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

"""The chain in a process of its own: what goes over, what comes back, and what is left when either end dies."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.openers import open_test_pipeline
from spikebridge.contracts import RecordingStatus, say_nothing
from spikebridge.engine import Engine, Session
from spikebridge.errors import CancelledError, InputError, StageError
from spikebridge.picture import NEVER
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import labels_path, read_labels
from spikebridge.settings import LaneSettings, RunSettings, SourceSettings

LOOPED = RunSettings(source=SourceSettings(loop=True))


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    engine = Engine(open_test_pipeline)
    yield engine
    engine.close()


@pytest.fixture
def engine(shared: Engine) -> Engine:
    return shared


@pytest.fixture(autouse=True)
def _no_thread_left(shared: Engine) -> None:
    """The thread that reads for the shared engine lives as long as the module."""


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def opened(engine: Engine, uri: str, settings: RunSettings | None = None) -> Session:
    return engine.open(uri, settings or RunSettings(), say_nothing)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_snapshots_and_the_picture_come_over(engine: Engine) -> None:
    session = opened(engine, "tiny:1")
    assert session.pid != os.getpid()
    wait_for(lambda: session.snapshot().state == "ended")
    snapshot = session.snapshot()
    (lane,) = snapshot.lanes
    assert (lane.counters.packets_done, lane.counters.events_done) == (30, 1200)
    assert lane.decision is not None
    assert lane.decision.label == "left_hand_wave"
    assert not lane.decision.probabilities.flags.writeable or lane.decision.probabilities.base is None
    assert lane.end_to_end is not None
    assert lane.end_to_end.run.n == 30
    wait_for(lambda: session.picture.now_us >= lane.t_us)
    # Columns 0, 1 and 2 had events, each for a tenth of a second.
    seen = session.picture.last_us > NEVER
    assert seen.any(axis=0).tolist() == [True] * 3 + [False] * 5
    first_us = snapshot.source.t_first_us or 0
    assert (session.picture.last_us[:, 0][seen[:, 0]] < first_us + 101_000).all()
    session.close()


def test_the_end_is_told_however_soon_it_comes(engine: Engine) -> None:
    for _ in range(5):
        session = opened(engine, "tiny:max")
        wait_for(lambda session=session: session.snapshot().state == "ended")  # type: ignore[misc]
        assert session.snapshot().lanes[0].counters.packets_done == 30
        session.close()


def test_controls_reach_the_chain(engine: Engine) -> None:
    session = opened(engine, "tiny:1", LOOPED)
    controls = session.replay
    assert controls is not None
    wait_for(lambda: session.snapshot().lanes[0].counters.decisions > 2)
    controls.pause(True)
    assert controls.status().paused, "what was asked for shows at once"
    wait_for(lambda: session.snapshot().state == "paused")
    time.sleep(0.2)  # what was on its way
    done = session.snapshot().lanes[0].counters.decisions
    controls.seek(200_000)
    # As asked, or once that was heard the start of the step that holds it.
    snapshot = session.snapshot()
    step_us, first_us = snapshot.lanes[0].model.step_us, snapshot.source.t_first_us or 0
    assert controls.status().position_us in (200_000, 200_000 - (200_000 - first_us) % step_us)
    controls.step()
    wait_for(lambda: session.snapshot().lanes[0].counters.decisions == done + 1)
    wait_for(lambda: session.all_heard and controls.status().position_us > 200_000)
    controls.set_speed(2.0)
    controls.set_loop(False)
    session.tune(0, threshold=0.75, smoothing_us=120_000)
    session.want_features(0, True)
    wait_for(lambda: session.all_heard)
    assert controls.status().speed == 2.0
    assert not controls.status().loop
    controls.pause(False)
    wait_for(lambda: session.snapshot().lanes[0].features is not None)
    lane = session.snapshot().lanes[0]
    assert (lane.threshold, lane.smoothing_us) == (0.75, 120_000)
    wait_for(lambda: controls.overview().size == 256)
    session.close()


def test_two_quick_presses_are_two(engine: Engine) -> None:
    """Pause, and again before the first was heard: it runs."""
    session = opened(engine, "tiny:1", LOOPED)
    controls = session.replay
    assert controls is not None
    for _ in range(2):
        controls.pause(not controls.status().paused)
    wait_for(lambda: session.all_heard)
    assert not controls.status().paused
    session.close()


def test_settings_show_at_once_and_stay(engine: Engine) -> None:
    """Steps from the value shown, as keys take them: none is lost, whether or not the chain has heard of the last, and
    while it stands still."""
    session = opened(engine, "tiny:1", LOOPED)
    assert session.replay is not None
    session.replay.pause(True)
    start = session.snapshot().lanes[0]
    for n in range(1, 6):
        session.tune(0, smoothing_us=session.snapshot().lanes[0].smoothing_us + 1000)
        session.tune(0, threshold=session.snapshot().lanes[0].threshold - 0.01)
        time.sleep(0.02 * (n % 3))
    lane = session.snapshot().lanes[0]
    assert lane.smoothing_us == lane.age.smoothing_us == start.smoothing_us + 5000
    assert lane.threshold == pytest.approx(start.threshold - 0.05)
    wait_for(lambda: session.all_heard)
    for _ in range(5):
        heard = session.snapshot().lanes[0]
        assert (heard.threshold, heard.smoothing_us) == (lane.threshold, lane.smoothing_us)
        assert heard.age.smoothing_us == lane.smoothing_us
        time.sleep(0.03)
    session.close()


def test_lanes_come_over_with_their_pairs(engine: Engine) -> None:
    session = opened(engine, "tiny:1", RunSettings(lanes=(LaneSettings(), LaneSettings())))
    wait_for(lambda: session.snapshot().state == "ended")
    snapshot = session.snapshot()
    assert [lane.model.name for lane in snapshot.lanes] == ["lane 0", "lane 1"]
    assert [(pair.agreement, pair.compared) for pair in snapshot.pairs] == [(1, 27)]
    session.tune(1, threshold=0.9)
    wait_for(lambda: session.all_heard)
    session.close()


def test_several_sources_at_once(engine: Engine) -> None:
    first, second = (opened(engine, "tiny:1", LOOPED) for _ in range(2))
    assert first.pid == second.pid
    first.close()
    before = second.snapshot().lanes[0].counters.packets_done
    wait_for(lambda: second.snapshot().lanes[0].counters.packets_done > before + 3)
    second.close()
    second.close()


# ---------------------------------------------------------------- what goes wrong


def test_an_error_of_opening_is_the_same_error_here(engine: Engine) -> None:
    with pytest.raises(InputError, match="expected a recording, found none"):
        opened(engine, "missing")


def test_a_fault_of_the_program_is_one_here(capfd: pytest.CaptureFixture[str]) -> None:
    engine = Engine(open_test_pipeline)
    with pytest.raises(ZeroDivisionError, match="a fault of the program"):
        opened(engine, "fault")
    engine.close()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_an_error_that_cannot_be_sent_is_told(engine: Engine) -> None:
    with pytest.raises(StageError, match="StageWithALockError"):
        opened(engine, "unsendable")


def test_slow_opening_is_told_and_can_be_given_up(engine: Engine) -> None:
    heard: list[str] = []

    def say(words: str) -> None:
        heard.append(words)
        if heard.count("still at it") > 3:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        engine.open("slow", RunSettings(), say)
    opened(engine, "tiny:max").close()


def test_a_failing_stage_is_in_the_snapshot(engine: Engine) -> None:
    session = opened(engine, "failing stage")
    wait_for(lambda: session.snapshot().state == "failed")
    assert session.snapshot().failure == "expected an answer, found none."
    session.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_chain_is_named_and_the_next_source_opens(number: signal.Signals) -> None:
    engine = Engine(open_test_pipeline)
    two = dataclasses.replace(LOOPED, lanes=(LaneSettings(), LaneSettings()))
    session = opened(engine, "tiny:1", two)
    wait_for(lambda: all(lane.state == "running" for lane in session.snapshot().lanes))
    os.kill(session.pid, number)
    wait_for(lambda: session.snapshot().state == "failed", 2)
    snapshot = session.snapshot()
    assert f"killed by {number.name}" in str(snapshot.failure)
    assert [(lane.state, lane.failure) for lane in snapshot.lanes] == [("failed", snapshot.failure)] * 2
    session.fail("again.")
    assert session.snapshot().sequence == snapshot.sequence + 1, "views skip what they have seen"
    session.tune(0, threshold=0.3)
    session.close()
    again = opened(engine, "tiny:1", LOOPED)
    assert again.pid != session.pid
    wait_for(lambda: again.snapshot().lanes[0].counters.decisions > 2)
    again.close()
    engine.close()


def test_a_lane_that_had_ended_is_not_failed_by_what_comes_after() -> None:
    engine = Engine(open_test_pipeline)
    session = opened(engine, "tiny:max")
    wait_for(lambda: session.snapshot().state == "ended")
    os.kill(session.pid, signal.SIGKILL)
    wait_for(lambda: session.snapshot().state == "failed", 2)
    (lane,) = session.snapshot().lanes
    assert (lane.state, lane.failure) == ("ended", None)
    assert lane.decision is not None
    engine.close()


def test_a_chain_that_dies_while_it_opens_is_named() -> None:
    engine = Engine(open_test_pipeline)
    with pytest.raises(StageError, match="ended with status 3"):
        opened(engine, "dies while it opens")
    opened(engine, "tiny:max").close()
    engine.close()


def test_closing_leaves_no_process_and_no_thread() -> None:
    before = set(threading.enumerate())
    engine = Engine(open_test_pipeline)
    session = opened(engine, "tiny:1", LOOPED)
    pid = session.pid
    began = time.monotonic()
    engine.close()
    engine.close()
    assert time.monotonic() - began < 5
    assert gone(pid)
    wait_for(lambda: set(threading.enumerate()) <= before)


def test_the_chain_ends_with_the_window_however_that_ends() -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from engine.openers import open_test_pipeline
        from spikebridge.contracts import say_nothing
        from spikebridge.engine import Engine
        from spikebridge.settings import RunSettings, SourceSettings
        if __name__ == "__main__":
            settings = RunSettings(source=SourceSettings(loop=True))
            session = Engine(open_test_pipeline).open("tiny:1", settings, say_nothing)
            print(session.pid, flush=True)
            time.sleep(60)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    wait_for(lambda: gone(pid), 5)


def test_ctrl_c_of_the_terminal_does_not_end_the_chain(engine: Engine) -> None:
    session = opened(engine, "tiny:1", LOOPED)
    os.kill(session.pid, signal.SIGINT)
    before = session.snapshot().lanes[0].counters.packets_done
    wait_for(lambda: session.snapshot().lanes[0].counters.packets_done > before + 5)
    session.close()


def test_a_recording_begins_and_ends_while_the_source_runs(engine: Engine, tmp_path: Path) -> None:
    session, path = opened(engine, "tiny:1", LOOPED), tmp_path / "a.aedat4"
    assert session.snapshot().recording is None
    session.record(path)
    session.mark("arm_roll")

    def status() -> RecordingStatus:
        return session.snapshot().recording or RecordingStatus("", False, 0, 0)

    wait_for(lambda: status().events > 100)
    assert (status().running, status().label, status().path) == (True, "arm_roll", str(path))
    session.mark(None)
    session.record(None)
    wait_for(lambda: not status().running)
    wait_for(lambda: not open_recording(path).counters().truncated)
    assert open_recording(path).n_events == status().events
    assert {span.label for span in read_labels(labels_path(path))[0]} == {7}
    session.record(path)
    wait_for(lambda: session.snapshot().notes)
    assert "a name that is free" in next(iter(session.snapshot().notes.values()))
    second = tmp_path / "b.aedat4"
    session.record(second)
    wait_for(lambda: status().path == str(second))
    assert status().label is None
    session.close()
    assert not open_recording(second).counters().truncated


def test_the_picture_is_memory_of_both(engine: Engine) -> None:
    session = opened(engine, "tiny:1", LOOPED)
    wait_for(lambda: session.picture.now_us > 0)
    first = session.picture.now_us
    wait_for(lambda: session.picture.now_us != first)
    assert session.picture.off.dtype == np.uint8
    session.close()

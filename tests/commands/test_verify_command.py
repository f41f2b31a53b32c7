"""``run --session``, ``run --record`` and ``verify`` as a user calls them; a real process that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import aedat
import dv_processing
import faery
import pytest
from click.testing import CliRunner

from bundles import write_ordinary_bundle
from small_recordings import moving_column, write_aedat31
from spikebridge.commands.main import cli
from spikebridge.errors import UsageError
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import Span, labels_path, read_labels


@pytest.fixture
def model(tmp_path):
    return write_ordinary_bundle(tmp_path / "tiny")


@pytest.fixture
def clip(tmp_path):
    return write_aedat31(tmp_path / "clip.aedat", moving_column())


def call(*arguments, typed=None):
    return CliRunner().invoke(cli, list(map(str, arguments)), input=typed)


def start(*arguments, **options):
    """A process of its own, as a user starts it."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-m", "spikebridge", *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, text=True, **pipes)


def test_a_session_and_its_verification(tmp_path, model, clip):
    session = tmp_path / "s"
    result = call("run", clip, "--model", model, "--headless", "--speed", "max", "--session", session)
    assert result.exception is None, result.output
    assert f"{session}: 1,200 events in 0.3 s" in result.stdout
    result = call("verify", session)
    assert result.exception is None, result.output
    assert result.stdout == "identical: 30 decisions in 30 steps of 1 network\n"
    steps = session / "steps.jsonl"
    steps.write_text(steps.read_text().replace('"settled":false', '"settled":true', 1))
    with start("verify", session) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 5
    assert out == ""
    assert "spikebridge: expected decision 1 of tiny" in err
    assert "settled true then and false now" in err
    with start("verify", session, "--model", "s2a4-stream") as process:
        _, err = process.communicate(timeout=100)
    assert process.returncode == 3
    assert "of this session, whose model.toml has the hash" in err


def test_a_recording_beside_a_run(tmp_path, model, clip):
    out = tmp_path / "out.aedat4"
    options = ("--model", model, "--json", "--speed", "max", "--record", out, "--label", "arm_roll")
    result = call("run", clip, *options)
    assert result.exception is None, result.output
    recording = json.loads(result.stdout.splitlines()[-1])["summary"]["recording"]
    assert recording == {
        "path": str(out), "duration_us": 300_000, "events": 1200, "lost": 0, "labels": 1, "problem": None,
    }  # fmt: skip
    assert open_recording(out).n_events == 1200
    first_us = open_recording(clip).info.t_first_us
    assert read_labels(labels_path(out))[0] == [Span(7, first_us, first_us + 300_000)]


def test_names_that_are_taken_and_choices_that_clash(tmp_path, model, clip):
    taken, folder = tmp_path / "a.aedat4", tmp_path
    taken.write_bytes(b"old")
    for options, said in (
        (("--record", taken), "a name that is free"),
        (("--record", tmp_path / "a.raw"), "only AEDAT4"),
        (("--session", folder), "a free name for the session's folder"),
        (("--session", tmp_path / "s", "--record", tmp_path / "b.aedat4"), "either --record or --session"),
        (("--label", "other"), "--record or --session beside --label"),
    ):
        result = call("run", clip, "--model", model, "--headless", *options)
        assert isinstance(result.exception, UsageError), result.output
        assert said in str(result.exception)
    assert not (tmp_path / "s").exists()


def test_marks_while_it_runs(tmp_path, model):
    """Each line is sent when the decisions say that the stream is somewhere else."""
    out = tmp_path / "out.aedat4"
    with start("run", "sim:", "--seed", "1", "--model", model, "--json", "--record", out) as process:
        for line, until_us in (("3\n", 100_000), ("wave\n", 400_000), ("\n", 700_000)):
            while json.loads(process.stdout.readline())["t_us"] < until_us:
                pass
            process.stdin.write(line)
            process.stdin.flush()
        err = ""
        while "mark ended" not in err:
            err += process.stderr.readline()
        told_us = json.loads(process.stdout.readline())["t_us"]
        end_us = told_us
        while end_us < told_us + 2_000_000:
            end_us = json.loads(process.stdout.readline())["t_us"]
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert "spikebridge: marked: left_hand_wave" in err
    assert "found 'wave'; nothing was marked" in err
    (span,) = (span for span in read_labels(labels_path(out))[0] if span.label == 2)
    assert 100_000 <= span.start_us < span.stop_us
    assert 700_000 <= span.stop_us < end_us


def by_every_reader(path):
    """How many events each reader finds."""
    recording = open_recording(path)
    ours, last_us = recording.n_events, recording.info.t_last_us
    recording.close()
    store = dv_processing.io.MonoCameraRecording(str(path))
    dv = 0
    while store.isRunning():
        batch = store.getNextEventBatch()
        dv += 0 if batch is None else batch.size()
    by_faery = sum(len(part) for part in faery.events_stream_from_file(path))
    by_aedat = sum(len(packet["events"]) for packet in aedat.Decoder(str(path)))
    return (ours, dv, by_faery, by_aedat), last_us


def test_a_recording_that_is_killed_has_all_but_its_last_second(tmp_path, model):
    """kill -9 in the middle: the camera's time that was decided on, against the time in the file."""
    out = tmp_path / "out.aedat4"
    with start("run", "sim:arm_roll", "--seed", "3", "--model", model, "--json", "--record", out) as process:
        decided_us = 0
        while decided_us < 2_300_000:
            decided_us = json.loads(process.stdout.readline())["t_us"]
        process.kill()
    (ours, *others), last_us = by_every_reader(out)
    assert others == [ours] * 3
    assert decided_us - last_us <= 1_000_000
    labels = read_labels(labels_path(out))[0]
    assert labels
    assert decided_us - labels[-1].stop_us <= 1_000_000


def test_the_command_record_that_is_killed(tmp_path):
    out = tmp_path / "out.aedat4"
    with start("record", "sim:arm_roll", out, "--seed", "3", "--label", "arm_roll") as process:
        told = ""
        while "in 2 s" not in told:  # written when the camera has come so far
            told += process.stderr.read(1)
        process.kill()
    (ours, *others), last_us = by_every_reader(out)
    assert others == [ours] * 3
    assert last_us >= 1_000_000
    (span,) = read_labels(labels_path(out))[0]
    assert (span.start_us, span.stop_us >= 1_000_000) == (0, True)


def test_a_session_that_is_killed_can_be_verified(tmp_path, model):
    session = tmp_path / "s"
    with start("run", "sim:", "--seed", "3", "--model", model, "--json", "--session", session) as process:
        decided_us = 0
        while decided_us < 1_800_000:
            decided_us = json.loads(process.stdout.readline())["t_us"]
        process.kill()
    result = call("verify", session)
    assert result.exception is None, result.output
    assert "the session was cut or ended early" in result.stdout
    steps = [json.loads(line) for line in (session / "steps.jsonl").read_text().splitlines() if line.endswith("}")]
    assert decided_us - steps[-1]["t_us"] <= 1_000_000
    assert json.loads((session / "session.json").read_text())["ended"] is None


def test_the_demo_goes_on_when_the_disk_is_full(tmp_path, model):
    """A limit on the size of its files stands for the disk: the system refuses the next byte in the same place."""
    import resource

    out = tmp_path / "out.aedat4"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))

    options = ("--model", model, "--json", "--record", out, "--for", "3")
    with start("run", "sim:arm_roll", "--seed", "3", *options, preexec_fn=limit) as process:
        lines, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    *decisions, last = map(json.loads, lines.splitlines())
    assert decisions[-1]["t_us"] >= 3_000_000
    recording = last["summary"]["recording"]
    assert "found: File too large; it ended after" in recording["problem"]
    assert recording["problem"] in last["summary"]["notes"]
    (ours, *others), last_us = by_every_reader(out)
    assert others == [ours] * 3
    assert (ours, open_recording(out).counters().truncated) == (recording["events"], False)
    assert 0 < last_us < recording["duration_us"] < 3_000_000

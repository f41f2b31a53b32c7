"""The command ``record`` as a user calls it."""

from __future__ import annotations

import os
import signal

import pytest
from click.testing import CliRunner

from spikebridge.commands.main import cli
from spikebridge.errors import UsageError
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import Span, labels_path, read_labels
from spikebridge.sources.tape import Tape


def call(*arguments):
    return CliRunner().invoke(cli, ["record", *map(str, arguments)])


def test_a_simulated_clip_and_a_part_of_it(tmp_path):
    first, part = tmp_path / "a.aedat4", tmp_path / "b.aedat4"
    options = ("--label", "arm_roll", "--for", 0.2, "--fast", "--seed", 1)
    result = call("sim:arm_roll", first, *options)
    assert result.exception is None, result.output
    assert result.stdout == ""
    assert "in 0.20 s, 1 labels" in result.stderr
    assert read_labels(labels_path(first))[0] == [Span(7, 0, 200_000)]
    assert call(first, part, "--for", 0.1).exception is None
    assert 0 < open_recording(part).n_events < open_recording(first).n_events


def test_ctrl_c_ends_it_whole(tmp_path, monkeypatch):
    put = Tape.put

    def interrupted(tape, packet, performed):
        if packet.t_start_us == 30_000:
            os.kill(os.getpid(), signal.SIGINT)
        put(tape, packet, performed)

    monkeypatch.setattr(Tape, "put", interrupted)
    before = signal.getsignal(signal.SIGINT)
    result = call("sim:", tmp_path / "a.aedat4", "--label", "other", "--fast", "--seed", 1)
    assert result.exception is None, result.output
    assert open_recording(tmp_path / "a.aedat4").counters().truncated is False
    assert read_labels(labels_path(tmp_path / "a.aedat4"))[0][0].stop_us < 200_000
    assert signal.getsignal(signal.SIGINT) is before


def test_a_wrong_name_is_refused_before_anything_is_opened(tmp_path):
    result = call("camera:", tmp_path / "a.raw")
    assert isinstance(result.exception, UsageError)
    with pytest.raises(StopIteration):
        next(tmp_path.iterdir())

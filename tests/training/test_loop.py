"""Training: it learns, resumes exactly, and names what is wrong with its input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.contracts import LABELS  # noqa: E402
from spikebridge.datasets.augmentation import Augmentation  # noqa: E402
from spikebridge.datasets.clips import ClipSet, write_shard  # noqa: E402
from spikebridge.errors import InputError, StageError  # noqa: E402
from spikebridge.training.checkpoint import load_checkpoint  # noqa: E402
from spikebridge.training.curves import read_curves  # noqa: E402
from spikebridge.training.loop import Start, train  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec  # noqa: E402
from spikebridge.training.plan import TrainingPlan  # noqa: E402
from standin_clips import blob_clip, write_set  # noqa: E402

GENTLE = Augmentation(shift_px=1, mirror=0, sparse=0, empty=0, hot_pixels=0, noise_per_step=0, haze_per_step=0)
PLAN = TrainingPlan(windows=16 * 24, batch=16, report_every=12, held_out=3, average=0.5, rate=1e-2, ranges=GENTLE)
SMALL = NetworkSpec(2, window_steps=8, interval_steps=4, dropout=0.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> ClipSet:
    torch.set_num_threads(1)
    return write_set(tmp_path_factory.mktemp("clips"))


def state(network) -> list[np.ndarray]:
    return [value.numpy() for value in network.state_dict().values()]


def test_it_learns_what_is_easy(clips, tmp_path):
    reports = []
    longer = dataclasses.replace(PLAN, windows=16 * 40, report_every=20)
    train(SMALL, longer, clips, tmp_path, on_progress=reports.append)
    assert reports[-1].accuracy_window > 0.6
    assert reports[-1].spikes > 0
    rows = list(read_curves(tmp_path / "curves.csv"))
    assert [row["update"] for row in rows] == [20, 40]


def test_resumed_equals_uninterrupted(clips, tmp_path):
    short = dataclasses.replace(PLAN, windows=16 * 6, report_every=3)
    train(SMALL, short, clips, tmp_path / "whole")

    class StoppedError(Exception):
        pass

    def interrupt(update):
        if update == 4:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(SMALL, short, clips, tmp_path / "cut", on_update=interrupt)
    train(SMALL, short, clips, tmp_path / "cut", start=Start(resume=True))
    whole, _ = load_checkpoint(tmp_path / "whole/last.npz")
    cut, _ = load_checkpoint(tmp_path / "cut/last.npz")
    assert all(np.array_equal(a, b) for a, b in zip(state(whole), state(cut), strict=True))


def test_fine_tuning_may_leave_the_spiking_part(clips, tmp_path):
    brief = dataclasses.replace(PLAN, windows=32, report_every=2)
    first = train(SMALL, brief, clips, tmp_path / "first")
    frozen = dataclasses.replace(brief, spiking_rate=0.0, seed=5)
    second = train(SMALL, frozen, clips, tmp_path / "second", start=Start(initial=first))
    assert all(torch.equal(a, b) for a, b in zip(first.spiking.weights, second.spiking.weights, strict=True))
    assert not torch.equal(first.ordinary.head[-1].weight, second.ordinary.head[-1].weight)


def test_resuming_another_network_is_refused(clips, tmp_path):
    brief = dataclasses.replace(PLAN, windows=16, report_every=1)
    train(SMALL, brief, clips, tmp_path)
    with pytest.raises(InputError, match=r"expected .* to hold a s1a5, found s2a4"):
        train(dataclasses.replace(SMALL, spiking=1), brief, clips, tmp_path, start=Start(resume=True))


def test_a_missing_class_is_named(tmp_path):
    for person in range(2):
        write_shard(tmp_path / "clips", f"p{person}", [blob_clip(label, person) for label in range(10)])
    with pytest.raises(InputError, match="found none of other"):
        train(SMALL, PLAN, ClipSet(tmp_path / "clips"), tmp_path / "run")


def test_a_loss_that_is_no_number_stops(clips, tmp_path):
    network = HybridNetwork(SMALL)
    with torch.no_grad():
        network.ordinary.head[-1].bias[0] = float("nan")
    with pytest.raises(StageError, match="finite loss"):
        train(SMALL, PLAN, clips, tmp_path / "run", start=Start(initial=network))
    assert not (tmp_path / "run").exists()


def test_a_gradient_that_is_no_number_stops(clips, tmp_path, monkeypatch):
    """Before it reaches the weights and what is saved of them."""
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("inf")))
    with pytest.raises(StageError, match="gradient of inf at update 0"):
        train(SMALL, PLAN, clips, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_full_disk_keeps_the_last_checkpoint(clips, tmp_path, monkeypatch):
    brief = dataclasses.replace(PLAN, windows=32, report_every=1)
    written = []

    def save(file, **arrays):
        written.append(file.write(b"half"))
        if len(written) > 2:  # the second report
            raise OSError(28, "No space left on device")
        np.savez_compressed(file, **arrays)

    monkeypatch.setattr("spikebridge.training.checkpoint.np.savez", save)
    with pytest.raises(InputError, match=r"free some space and resume"):
        train(SMALL, brief, clips, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.npz", "curves.csv", "last.npz"]


def test_short_clips_are_left_out_and_counted(tmp_path, caplog):
    labelled = [blob_clip(label, person) for person in range(2) for label in range(len(LABELS))]
    short = [blob_clip(label, 1, duration_us=70_000) for label in (0, 4)]
    write_shard(tmp_path / "clips", "all", labelled + short)
    brief = dataclasses.replace(PLAN, windows=16, held_out=2)
    train(SMALL, brief, ClipSet(tmp_path / "clips"), tmp_path / "run")
    assert caplog.messages == ["2 clips are shorter than the window of 80 ms; left out."]
    long = dataclasses.replace(SMALL, window_steps=40)
    with pytest.raises(InputError, match="at least 400 ms long, found none of hand_clap, right_hand_wave"):
        train(long, brief, ClipSet(tmp_path / "clips"), tmp_path / "long")


def test_a_frozen_part_is_not_even_differentiated(clips, tmp_path, monkeypatch):
    from spikebridge.training import spiking_pass

    monkeypatch.setattr(spiking_pass.SpikingPass, "backward", None)
    train(SMALL, dataclasses.replace(PLAN, windows=16, spiking_rate=0.0), clips, tmp_path)


def test_a_shuffled_control_resumes_exactly(clips, tmp_path):
    """What shuffles its steps is drawn anew in each update, and the same again after an interruption."""
    spec = dataclasses.replace(SMALL, control="shuffled")
    short = dataclasses.replace(PLAN, windows=16 * 4, report_every=2)
    train(spec, short, clips, tmp_path / "whole")

    class StoppedError(Exception):
        pass

    def interrupt(update):
        if update == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(spec, short, clips, tmp_path / "cut", on_update=interrupt)
    train(spec, short, clips, tmp_path / "cut", start=Start(resume=True))
    whole, cut = (load_checkpoint(tmp_path / name / "last.npz")[0] for name in ("whole", "cut"))
    assert all(np.array_equal(a, b) for a, b in zip(state(whole), state(cut), strict=True))

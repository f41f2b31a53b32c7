"""The command line from outside: output, exit codes, one sentence for each mistake."""

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bundles import write_ordinary_bundle
from small_recordings import moving_column, write_aedat31
from spikebridge.commands.main import cli
from spikebridge.contracts import LABELS
from spikebridge.stages import STAGE_KEYS, WORKING


@pytest.fixture
def bundle(tmp_path):
    return str(write_ordinary_bundle(tmp_path / "tiny", size=128))


@pytest.fixture
def recording(tmp_path):
    return str(write_aedat31(tmp_path / "clip.aedat", moving_column(size=128)))


def spikebridge(*arguments, **options):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-m", "spikebridge", *arguments],
        capture_output=True, text=True, timeout=60, env=environment, check=False, **options,
    )  # fmt: skip


def run_json(*arguments):
    result = CliRunner().invoke(cli, ["run", *arguments, "--json"], catch_exceptions=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return lines[:-1], lines[-1]["summary"]


def test_json_has_one_object_per_decision_and_a_summary(bundle, recording):
    decisions, summary = run_json(recording, "--model", bundle, "--speed", "max")
    assert len(decisions) == summary["decisions"] == summary["steps"] == 30
    first = decisions[0]
    assert set(first) == {"t_us", "label", "index", "probabilities", "latency_us", "end_to_end_us", "gap"}
    assert tuple(first["latency_us"]) == STAGE_KEYS
    assert len(first["probabilities"]) == len(LABELS)
    assert set(summary["scores"]) == set(LABELS)
    assert summary["events"]["read"] == summary["events"]["processed"] == 1200
    assert summary["events"]["dropped"] == summary["events"]["skipped_bytes"] == 0
    assert set(summary["scores"]) == set(LABELS)
    assert {reading["provenance"] for reading in summary["power"]} <= {
        "measured", "estimated", "simulated", "unavailable",
    }  # fmt: skip
    # Columns 0, 1 and 2 for 100 ms each: the labels of the same numbers, in turn.
    named = [d["label"] for d in decisions if d["label"]]
    assert list(dict.fromkeys(named)) == list(LABELS[:3])


def test_as_fast_as_it_goes_nothing_is_called_latency(bundle, recording):
    """What waits then waits in the program's own inbox."""
    decisions, summary = run_json(recording, "--model", bundle, "--speed", "max")
    waiting = [key for key in STAGE_KEYS if key not in WORKING]
    for decision in decisions:
        assert decision["end_to_end_us"] is None
        assert {key for key, value in decision["latency_us"].items() if value is None} == set(waiting)
    assert summary["end_to_end_us"] is None
    assert [key for key, value in summary["latency_us"].items() if value is None] == waiting
    assert (summary["event_age_us"]["newest"], summary["event_age_us"]["oldest"]) == (None, None)
    text = CliRunner().invoke(cli, ["run", recording, "--model", bundle, "--speed", "max", "--headless"]).stdout
    assert "latency      none: a run without a pace measures throughput" in text
    assert "p99" not in text


def test_a_paced_run_tells_from_seen_to_said(bundle, recording):
    """T = 4 steps of 10 ms, no spiking layer, no mean over decisions."""
    decisions, summary = run_json(recording, "--model", bundle, "--speed", "4")
    assert all(decision["end_to_end_us"] > 0 for decision in decisions)
    assert set(summary["end_to_end_us"]) == {"p50", "p95", "p99"}
    age, median_us = summary["event_age_us"], summary["end_to_end_us"]["p50"]
    assert {key: age[key] for key in ("step", "layer_delay", "window", "smoothing")} == {
        "step": 10_000, "layer_delay": 0, "window": 40_000, "smoothing": 0,
    }  # fmt: skip
    assert age["newest"] == median_us
    assert age["oldest"] == pytest.approx(median_us + 40_000)
    text = CliRunner().invoke(cli, ["run", recording, "--model", bundle, "--speed", "4", "--headless"]).stdout
    assert "latency      end to end p50" in text
    assert "seen to said When a decision is out, the newest events behind it are" in text


def test_decisions_are_the_same_at_any_speed(bundle, recording):
    def without_timings(speed):
        decisions, _ = run_json(recording, "--model", bundle, "--speed", speed)
        return [{k: d[k] for k in ("t_us", "label", "index", "probabilities", "gap")} for d in decisions]

    assert without_timings("max") == without_timings("1") == without_timings("7.5")


def test_the_window_protocol_decides_once_per_window(bundle, recording):
    decisions, summary = run_json(recording, "--model", bundle, "--speed", "max", "--mode", "window")
    assert len(decisions) == 30 // 4
    assert summary["steps"] == 30


def test_for_ends_on_the_cameras_clock(bundle, recording):
    decisions, _ = run_json(recording, "--model", bundle, "--speed", "max", "--for", "0.1")
    assert decisions[-1]["t_us"] - decisions[0]["t_us"] == 100_000


def test_for_ends_a_loop_too(bundle, recording):
    """The recording lasts 0.3 s; its clock begins again, the time that passed does not."""
    decisions, _ = run_json(recording, "--model", bundle, "--speed", "max", "--loop", "--for", "0.7")
    assert 70 <= len(decisions) <= 74
    assert sum(decision["gap"] for decision in decisions) == 2


def test_energy_of_a_window_counts_all_its_steps(bundle, recording):
    """Four steps behind each decision of a window: up to four times the binning of one while streaming, less where
    steps in a row find their memory warm."""
    _, stream = run_json(recording, "--model", bundle, "--speed", "max")
    _, window = run_json(recording, "--model", bundle, "--speed", "max", "--mode", "window")
    streamed, of_window = (run["energy_mj_per_decision"]["bin"]["value"] for run in (stream, window))
    assert 1.4 < of_window / streamed < 8


def test_several_networks_have_an_entry_each(bundle, recording, tmp_path):
    """As alone, byte for byte; with one network nothing names it."""
    other = str(write_ordinary_bundle(tmp_path / "other", size=128, steps=8, interval=4))

    def decided(*arguments):
        decisions, summary = run_json(recording, *arguments, "--speed", "max")
        return [{k: v for k, v in d.items() if k not in ("latency_us", "end_to_end_us")} for d in decisions], summary

    both, summary = decided("--model", bundle, "--model", other)
    for name, path in (("tiny", bundle), ("other", other)):
        alone, of_one = decided("--model", path)
        assert [{k: v for k, v in d.items() if k != "model"} for d in both if d["model"] == name] == alone
        assert "model" not in alone[0]
        (entry,) = (lane for lane in summary["lanes"] if lane["model"] == name)
        assert {key: entry[key] for key in ("decisions", "label", "scores", "events")} == {
            key: of_one[key] for key in ("decisions", "label", "scores", "events")
        }
    assert [(d["t_us"], d["model"]) for d in both] == sorted(
        ((d["t_us"], d["model"]) for d in both), key=lambda found: (found[0], found[1] == "other")
    )
    (pair,) = summary["pairs"]
    assert (pair["first"], pair["second"]) == ("tiny", "other")
    same = {d["t_us"]: d["label"] for d in both if d["model"] == "tiny"}
    compared = [d["label"] == same[d["t_us"]] for d in both if d["model"] == "other"][7:]
    assert pair["compared"] == len(compared)
    assert pair["agreement"] == pytest.approx(sum(compared) / len(compared), abs=1e-6)
    assert set(summary) == {"source", "lanes", "pairs", "power", "notes", "wall_s", "peak_rss_mb"}


def test_the_text_tells_of_each_network_and_pair(bundle, recording):
    text = CliRunner().invoke(
        cli, ["run", recording, "--model", bundle, "--model", f"{bundle},mode=window", "--speed", "max", "--headless"]
    ).stdout  # fmt: skip
    assert "tiny stream  ·  SNN: none" in text
    assert "tiny window  ·  SNN: none" in text
    assert "agreement    tiny stream and tiny window agree in" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "no/such/file.aedat", "--headless"], 3, "no/such/file.aedat"),
        (["run", "{folder}", "--headless"], 3, "directory"),
        (["run", "{clip}", "--headless", "--model", "none-such"], 3, "none-such"),
        (["run", "sim:juggling", "--headless"], 2, "juggling"),
        (["run", "{clip}", "--headless", "--model", "{bundle}", "--snn", "brain"], 2, "brain"),
        (["run", "{clip}", "--headless", "--model", "{bundle}", "--ann", "cuda"], 4, "CUDAExecutionProvider"),
        (["run", "{clip}", "--headless", "--speed", "fast"], 2, "fast"),
        (["run", "{clip}", "--headless", "--model", "{bundle},snn=brain"], 2, "brain"),
        (["run", "{clip}", "--headless", "--model", "{bundle},colour=red"], 2, "colour=red"),
        (["run", "{clip}", "--headless", "--loihi-address", "10.0.0.1"], 2, "--loihi-address only with --snn loihi2"),
        (["run", "{clip}", "--headless", "--screenshot", "x.png"], 2, "--screenshot"),
        (["info", "no/such/file.aedat"], 3, "no/such/file.aedat"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(bundle, recording, tmp_path, arguments, code, words):
    places = {"clip": recording, "bundle": bundle, "folder": str(tmp_path)}
    result = spikebridge(*(argument.format(**places) for argument in arguments))
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_ctrl_c_ends_with_the_summary(bundle, recording):
    with subprocess.Popen(
        [sys.executable, "-m", "spikebridge", "run", recording, "--model", bundle, "--loop", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        for _ in range(5):
            child.stdout.readline()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
    assert child.returncode == 0, err
    assert "summary" in json.loads(out.splitlines()[-1])
    assert not err


def test_without_a_display_the_terminal_takes_over(bundle, recording):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    result = subprocess.run(
        [sys.executable, "-m", "spikebridge", "run", recording, "--model", bundle, "--speed", "max"],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "No window:" in result.stderr
    assert "decisions    30" in result.stdout


def test_devices_and_doctor_answer():
    found = json.loads(CliRunner().invoke(cli, ["devices", "--json"], catch_exceptions=False).stdout)
    assert isinstance(found["cameras"], list)
    checks = json.loads(CliRunner().invoke(cli, ["doctor", "--json"], catch_exceptions=False).stdout)
    assert {check["state"] for check in checks} <= {"ok", "warning", "missing"}


def test_info_maps_a_shipped_model_onto_a_chip():
    result = CliRunner().invoke(cli, ["info", "--model", "s2a4-stream", "--json"], catch_exceptions=False)
    report = json.loads(result.stdout)
    assert report["chip"] == "Loihi 1"
    assert [layer["neurons"] for layer in report["layers"]] == [16384, 8192]
    assert report["bridge"]["bitmap"] == 8192 // 8


def test_info_of_both_or_neither_is_refused():
    result = spikebridge("info")
    assert result.returncode == 2
    assert "--model" in result.stderr

"""``--filter``, read and used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikebridge.commands.filters import read_filter, read_filters
from spikebridge.commands.main import cli
from spikebridge.errors import UsageError
from spikebridge.recordings import open_recording
from spikebridge.settings import FilterSettings


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("background", FilterSettings("background", 2000)),
        ("background:2ms", FilterSettings("background", 2000)),
        ("background:1.5ms", FilterSettings("background", 1500)),
        ("refractory", FilterSettings("refractory", 1000)),
        ("refractory:500us", FilterSettings("refractory", 500)),
        ("refractory:500µs", FilterSettings("refractory", 500)),
        ("refractory:0.001s", FilterSettings("refractory", 1000)),
        ("hot", FilterSettings("hot", 1_000_000)),
        ("hot:2s", FilterSettings("hot", 2_000_000)),
        ("rate:5M", FilterSettings("rate", rate_hz=5_000_000)),
        ("rate:0.5M", FilterSettings("rate", rate_hz=500_000)),
        ("rate:200k", FilterSettings("rate", rate_hz=200_000)),
        ("rate:1G", FilterSettings("rate", rate_hz=1_000_000_000)),
        ("rate:7", FilterSettings("rate", rate_hz=7)),
    ],
)
def test_a_filter_is_read(text: str, settings: FilterSettings) -> None:
    assert read_filter(text) == settings


def test_a_mask_is_a_file(tmp_path: Path) -> None:
    mask = tmp_path / "mask.csv"
    mask.touch()
    assert read_filter(f"hot:{mask}") == FilterSettings("hot", mask=mask)


def test_the_order_stays() -> None:
    assert [one.kind for one in read_filters(("rate:1M", "background", "hot"))] == ["rate", "background", "hot"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begin with background, refractory, hot, rate, found ''"),
        ("median:2ms", "found 'median:2ms'"),
        ("background:2", "a time such as 2ms or 500us, found 'background:2'"),
        ("background:-2ms", "found 'background:-2ms'"),
        ("background:0ms", "a time of 1 µs to 60 s"),
        ("background:61s", "found 61000000 µs"),
        ("refractory:99999999999ms", "found 'refractory:99999999999ms'"),
        ("hot:nothing.csv", "no such file"),
        ("rate", "events per second such as 5M or 200k, found 'rate'"),
        ("rate:5m", "found 'rate:5m'"),
        ("rate:0", "expected a rate of 1 to"),
        ("rate:2G", "found 2000000000"),
        ("rate:٣M", "found 'rate:٣M'"),
    ],
)
def test_a_filter_that_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_filter(text)


def call(*arguments: object) -> str:
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exception is None, result.output
    return result.stdout


def test_filters_are_counted_in_a_run_and_change_a_recording(tmp_path: Path) -> None:
    noise = ("--filter", "background:1ms", "--filter", "refractory:2ms")
    whole, less = tmp_path / "a.aedat4", tmp_path / "b.aedat4"
    simulated = ("sim:arm_roll", "--label", "arm_roll", "--for", 0.4, "--fast", "--seed", 1)
    call("record", simulated[0], whole, *simulated[1:])
    call("record", simulated[0], less, *simulated[1:], *noise)
    assert 0 < open_recording(less).n_events < open_recording(whole).n_events
    summary = json.loads(call("run", whole, "--speed", "max", "--json", *noise).splitlines()[-1])["summary"]
    events = summary["events"]
    assert events["read"] == open_recording(whole).n_events
    assert events["filtered"] > 0
    assert events["read"] == events["processed"] + events["filtered"] + events["dropped"]
    # Recorded in the grid of the run and from its first event on: the same events pass.
    assert events["processed"] == open_recording(less).n_events

"""What the command line makes of --model and the options around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from spikebridge.commands.lanes import lane_options, read_lanes, read_snn
from spikebridge.errors import UsageError
from spikebridge.settings import DEFAULT_MODEL, LaneSettings, LoihiBoard, SnnSettings


def parsed(*arguments: str) -> Mapping[str, Any]:
    given: dict[str, Any] = {}

    @click.command()
    @lane_options
    def command(**options: Any) -> None:
        given.update(options)

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return given


def lanes(*arguments: str) -> tuple[LaneSettings, ...]:
    return read_lanes(parsed(*arguments))


def test_without_options_it_is_the_settings_default() -> None:
    assert lanes() == (LaneSettings(),)
    assert LaneSettings().model == DEFAULT_MODEL


def test_options_hold_for_all_and_what_stands_behind_a_model_for_it_alone() -> None:
    one, two, three = lanes(
        "--model", "a", "--model", "b,snn=emulator,mode=stream,name=mine", "--model", "c,ann=cuda,fit=full",
        "--snn", "lava", "--mode", "window",
    )  # fmt: skip
    assert one == LaneSettings("a", "", SnnSettings("lava"), "cpu", "window")
    assert two == LaneSettings("b", "mine", SnnSettings("emulator"), "cpu", "stream")
    assert three == LaneSettings("c", "", SnnSettings("lava"), "cuda", "window", "full")


def test_a_folder_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "a,snn=x"
    folder.mkdir()
    assert lanes("--model", str(folder))[0].model == str(folder)


@pytest.mark.parametrize("text", ["a,", "a,snn", "a,snn=", "a,=lava", "a,speed=3"])
def test_what_cannot_stand_behind_a_model_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected --model NAME and behind it snn, ann, mode, fit or name"):
        lanes("--model", text)


@pytest.mark.parametrize(("text", "words"), [("a,mode=slow", "stream or window"), ("a,fit=no", "center or full")])
def test_values_are_checked(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lanes("--model", text)


def test_the_board_goes_to_the_lanes_that_run_on_one() -> None:
    one, two = lanes("--model", "a,snn=loihi2", "--model", "b", "--loihi-address", "10.0.0.1", "--no-loihi-profile")
    assert one.snn == SnnSettings("loihi2", board=LoihiBoard("ethernet", "10.0.0.1", profile=False))
    assert two.snn == SnnSettings()


def test_lavas_interpreter_goes_to_the_lanes_that_need_it() -> None:
    one, two = lanes("--model", "a,snn=lava", "--model", "b", "--lava-python", "/opt/python3.10")
    assert (one.snn.lava_python, two.snn.lava_python) == (Path("/opt/python3.10"), None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--lava-python", "x"), "--lava-python only with --snn lava or loihi2"),
        (("--loihi-partition", "x"), "--loihi-partition only with --snn loihi2, found --snn emulator"),
        (("--snn", "lava", "--no-loihi-profile"), "--loihi-profile only with --snn loihi2, found --snn lava"),
    ],
)
def test_options_without_effect_are_refused(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lanes(*arguments)


def test_a_board_that_contradicts_itself_is_refused() -> None:
    for arguments in (("--loihi-partition", "p", "--loihi-board", "b"), ("--loihi-host", "ethernet")):
        with pytest.raises(UsageError):
            lanes("--snn", "loihi2", *arguments)


def test_the_backend_of_one_network() -> None:
    assert read_snn(parsed("--snn", "lava", "--lava-python", "x")) == SnnSettings("lava", Path("x"))

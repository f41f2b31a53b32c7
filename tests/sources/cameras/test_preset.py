"""Settings of a camera in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebridge.errors import InputError
from spikebridge.settings import CameraSettings
from spikebridge.sources.cameras.preset import over, read_preset

WHOLE = """
erc_rate = 20_000_000
roi = [320, 0, 640, 720]
antiflicker = [50, 520]
[biases]
bias_diff_on = 20
bias_diff_off = -5
"""


def read(path: Path, text: str) -> CameraSettings:
    path.write_text(text, encoding="utf-8")
    return read_preset(path)


def test_a_whole_preset(tmp_path: Path) -> None:
    assert read(tmp_path / "a.toml", WHOLE) == CameraSettings(
        (("bias_diff_on", 20), ("bias_diff_off", -5)), 20_000_000, (320, 0, 640, 720), (50, 520)
    )


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", CameraSettings()),
        ("antiflicker = true", CameraSettings(antiflicker_hz=True)),
        ("antiflicker = false", CameraSettings()),
    ],
)
def test_what_is_left_out_stays(tmp_path: Path, text: str, settings: CameraSettings) -> None:
    assert read(tmp_path / "a.toml", text) == settings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bias = 1", "keys among biases, erc_rate, roi, antiflicker in .*, found 'bias'"),
        ("[biases]\ndiff_on = 1.5", "expected biases to be a table of names and whole numbers"),
        ("[biases]\ndiff_on = true", "expected biases to be a table"),
        ("biases = 5", "expected biases to be a table"),
        ("erc_rate = '5'", "expected erc_rate to be a whole number"),
        ("erc_rate = true", "expected erc_rate to be a whole number"),
        ("erc_rate = 0", r"1 event per second or more, found 0 in .*; correct it\."),
        ("roi = [1, 2, 3]", r"expected roi to be \[x, y, width, height\]"),
        ("roi = [1, 2, 3, 0]", "a region X,Y,WIDTH,HEIGHT with some px in it, found 1,2,3,0 in "),
        ("roi = [1, 2, 3, '4']", "expected roi"),
        ("antiflicker = 50", "expected antiflicker to be true, or"),
        ("antiflicker = [60, 50]", "a band LOWEST-HIGHEST in Hz, found 60-50"),
        ("antiflicker = [50, 60, 70]", "expected antiflicker"),
        ("roi = [", "a camera preset in TOML"),
        ("x" * 2_000_000, "less than 1 MiB"),
    ],
)
def test_what_is_no_preset_is_refused_by_key(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "a.toml", text)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError, match="a camera preset in TOML at"):
            read_preset(path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="a camera preset in TOML"):
        read_preset(tmp_path / "b.toml")


def test_options_count_more_than_the_preset() -> None:
    preset = CameraSettings((("a", 1), ("b", 2)), 100, (0, 0, 1, 1), True)
    assert over(preset, CameraSettings()) == preset
    assert over(preset, CameraSettings((("b", 3), ("c", 4)), 200, None, (50, 60))) == CameraSettings(
        (("a", 1), ("b", 3), ("c", 4)), 200, (0, 0, 1, 1), (50, 60)
    )

from __future__ import annotations

import os
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recording_files import SHARED, needs_shared
from small_recordings import moving_column
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.ui import film
from spikebridge.ui.film import FilmSettings, count_frames, render_film
from spikebridge.ui.surface import NEWEST_OFF, NEWEST_ON, PALETTES

COLOURS = next(iter(PALETTES.values()))


def recorded(path: Path, events: EventArray, sensor: Sensor) -> Path:
    with Aedat4Writer(path, sensor) as writer:
        writer.write(events)
    return path


def rendered(path: Path, out: Path, **settings) -> int:
    with closing(open_recording(path)) as recording:
        return render_film(recording, out, FilmSettings(**settings))


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def colour(index: int) -> tuple[int, int, int]:
    value = COLOURS[index]
    return value >> 16 & 255, value >> 8 & 255, value & 255


def near(pixel: np.ndarray, index: int) -> bool:
    return bool(np.abs(pixel.astype(int) - colour(index)).max() < 40)


@pytest.fixture
def column(tmp_path: Path) -> Path:
    return recorded(tmp_path / "a.aedat4", moving_column(1_000_000), Sensor(8, 8))


@pytest.mark.parametrize(
    ("settings", "n"),
    [
        ({}, 30),
        ({"fps": 25}, 25),
        ({"speed": Fraction(1, 2)}, 60),
        ({"speed": Fraction(4)}, 8),  # 7.5: the last one shows what is left
        ({"start_us": 500_000}, 15),
        ({"start_us": 200_000, "stop_us": 300_000, "fps": 100}, 10),
        ({"stop_us": 1}, 1),
    ],
)
def test_a_film_lasts_as_long_as_its_part_at_its_speed(column: Path, settings: dict, n: int) -> None:
    with closing(open_recording(column)) as recording:
        first_us = recording.info.t_first_us or 0
        length_us = (recording.info.t_last_us or 0) + 1 - first_us
        assert 990_000 < length_us <= 1_000_000
        assert count_frames(recording, FilmSettings(style="events", **settings)) == n


def test_each_frame_shows_what_came_until_then_and_nothing_later(tmp_path: Path) -> None:
    events = make_events([0, 100_000, 199_999, 200_000, 399_999], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [1, 0, 1, 1, 0])
    path = recorded(tmp_path / "a.aedat4", events, Sensor(6, 5))
    assert rendered(path, tmp_path / "a.mp4", style="events", fps=5, size=(120, 100), fade_us=1_000_000) == 2
    first, second = frames_of(tmp_path / "a.mp4")
    assert first.shape == (100, 120, 3)

    def seen(frame: np.ndarray) -> list[int]:
        return [n for n in range(5) if not near(frame[20 * n + 10, 20 * n + 10], 0)]

    assert seen(first) == [0, 1, 2]
    assert seen(second) == [0, 1, 2, 3, 4]
    assert near(second[90, 90], NEWEST_OFF)
    assert near(first[50, 50], NEWEST_ON)


@pytest.mark.parametrize("suffix", ["mp4", "gif", "png"])
@pytest.mark.parametrize("style", ["events", "demo"])
def test_the_same_recording_gives_the_same_film(column: Path, tmp_path: Path, suffix: str, style: str) -> None:
    settings = {"style": style, "fps": 5, "size": (640, 360)}
    for name in ("one", "two"):
        rendered(column, tmp_path / f"{name}.{suffix}", **settings)
    one = (tmp_path / f"one.{suffix}").read_bytes()
    assert one == (tmp_path / f"two.{suffix}").read_bytes()
    assert len(one) > 200


def test_a_gif_has_all_frames_in_their_colours(column: Path, tmp_path: Path) -> None:
    assert rendered(column, tmp_path / "a.gif", style="events", fps=10) == 10
    frames = frames_of(tmp_path / "a.gif")
    assert len(frames) == 10
    found = {tuple(int(v) for v in pixel) for pixel in frames[0].reshape(-1, 3)[::97]}
    assert found <= {colour(index) for index in range(256)}


def test_a_picture_is_the_last_frame(tmp_path: Path) -> None:
    events = make_events([0, 500_000, 999_999], [0, 1, 2], [0, 0, 0], [1, 1, 1])
    path = recorded(tmp_path / "a.aedat4", events, Sensor(4, 4))
    rendered(path, tmp_path / "a.png", style="events", size=(40, 40), fade_us=10_000)
    (picture,) = frames_of(tmp_path / "a.png")
    assert [near(picture[5, 10 * x + 5], NEWEST_ON) for x in range(3)] == [False, False, True]


def test_the_bare_picture_has_whole_pixels(column: Path, tmp_path: Path) -> None:
    rendered(column, tmp_path / "a.png", style="events")
    (picture,) = frames_of(tmp_path / "a.png")
    assert picture.shape == (720, 720, 3)
    blocks = picture.reshape(8, 90, 8, 90, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()


@needs_shared
def test_the_demo_names_what_the_chain_names_at_that_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spikebridge import decide

    path = SHARED / "gestures" / "right_hand_wave.aedat"
    shown: list[tuple[int, str | None, tuple[str, ...]]] = []
    show = film._FilmPage.show_frame

    def noted(page: film._FilmPage, lane: object, since_us: int) -> None:
        show(page, lane, since_us)  # type: ignore[arg-type]
        decision = lane.decision  # type: ignore[attr-defined]
        shown.append((since_us, decision and decision.label, page._column.gesture.texts))

    monkeypatch.setattr(film._FilmPage, "show_frame", noted)
    rendered(path, tmp_path / "a.png", fps=10)
    decided = {decision.t_us: decision.label for decision in decide(path)}
    first_us = min(decided) - 10_000
    assert len(shown) == 15
    for since_us, label, texts in shown[:-1]:
        assert label == decided[first_us + since_us - since_us % 10_000]
        assert label is None or "wave" in " ".join(texts)
    assert shown[-2][1] == "right_hand_wave"


def test_figures_of_this_machine_are_not_in_it(column: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[tuple[str, ...]] = []
    close = film._DemoScene.close

    def noted(scene: film._DemoScene) -> None:
        texts.append(scene._page.strip.texts)
        close(scene)

    monkeypatch.setattr(film._DemoScene, "close", noted)
    rendered(column, tmp_path / "a.png")
    (words,) = texts
    assert words.count("– ms") == 5
    assert words.count("– mW") == 4  # all but the chip's, which follows from counted spikes
    assert "estimated" in words
    # 4 000 events/s of the camera's clock, however fast the film was drawn.
    (rate,) = (float(text.split()[0]) for text in words if text.endswith("k events/s"))
    assert 3.6 < rate < 4.4
    assert "100 steps/s" in words


def test_an_error_leaves_nothing(column: Path, tmp_path: Path) -> None:
    def fail(frames: int) -> None:
        raise KeyboardInterrupt

    for suffix in ("mp4", "gif", "png"):
        with closing(open_recording(column)) as recording, pytest.raises(KeyboardInterrupt):
            render_film(recording, tmp_path / f"b.{suffix}", FilmSettings(style="events"), fail)
    assert os.listdir(tmp_path) == ["a.aedat4"]


def test_what_is_no_film_is_refused(column: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\*\.mp4"):
        rendered(column, tmp_path / "a.avi", style="events")
    with pytest.raises(UsageError, match="fade"):
        rendered(column, tmp_path / "a.mp4", fade_us=12_345)
    with pytest.raises(UsageError, match="begins before it ends"):
        rendered(column, tmp_path / "a.mp4", start_us=2_000_000)

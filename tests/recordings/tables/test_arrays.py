from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.tables import arrays, npz
from spikebridge.settings import ReadSettings

EVENTS = random_events(5000, width=240, height=180)
T, X, Y, P = (EVENTS[name] for name in ("t", "x", "y", "polarity"))
SIGNED = P.astype(np.int8) * 2 - 1


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def records(*fields: tuple[str, str, np.ndarray], align: bool = False) -> np.ndarray:
    made = np.zeros(T.size, np.dtype([(name, kind) for name, kind, _ in fields], align=align))
    for name, _, column in fields:
        made[name] = column
    return made


SINGLE = {
    "tonic": records(("x", "<i2", X), ("y", "<i2", Y), ("t", "<i8", T), ("p", "?", P)),
    "big endian, aligned": records(
        ("ts", ">u4", T), ("x", ">u2", X), ("y", ">f4", Y), ("pol", "i1", SIGNED), align=True
    ),
    "seconds": records(("timestamp", "<f8", T / 1e6), ("col", "u2", X), ("row", "u2", Y), ("on", "?", P)),
    "nanoseconds": records(("x", "u1", X), ("time_ns", "<u8", T * 1000 - 500), ("y", "u1", Y), ("p", "<f8", SIGNED)),
    "rows": np.column_stack((T, X, Y, P)),
    "rows of fractions, xytp": np.column_stack((X, Y, T, P)).astype(np.float64),
    "rows, x y p t, signed": np.column_stack((X, Y, SIGNED, T)).astype(">i4"),
    "Fortran order": np.asfortranarray(np.column_stack((T, X, Y, P)).astype(np.float32)),
    "lying": np.stack((T, X, Y, P)),
    "lying, Fortran order": np.asfortranarray(np.stack((T, X, Y, P))),
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_one_array(tmp_path: Path, name: str, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, SINGLE[name], version, allow_pickle=False)
    recording = open_recording(tmp_path / "a.npy")
    assert same(everything(recording), EVENTS)
    counters = recording.counters()
    assert recording.format == "NPY"
    assert recording.info.sensor == Sensor(240, 180)
    assert (counters.dropped, counters.skipped_bytes, counters.truncated) == (0, 0, False)
    assert "Its columns were read as" in counters.notes[0]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "held",
    [
        {"t": T, "x": X, "y": Y, "p": P},
        {"polarities": SIGNED, "xs": X.astype(float), "timestamps": T[:, None], "ys": Y, "label": np.array(3)},
        {"events": SINGLE["tonic"], "labels": np.arange(4)},
        {"arr_0": T, "arr_1": X, "arr_2": Y, "arr_3": P},
        {"arr_0": np.column_stack((T, X, Y, P))},
    ],
)
def test_archives(tmp_path: Path, save: object, held: dict[str, np.ndarray]) -> None:
    save(tmp_path / "a.npz", **held)  # type: ignore[operator]
    recording = open_recording(tmp_path / "a.npz")
    assert same(everything(recording), EVENTS)
    assert recording.format == "NPZ"


def test_small_pieces_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", t=T, x=X, y=Y, p=P)
    monkeypatch.setattr(arrays, "CHUNK_EVENTS", 77)
    recording = open_recording(tmp_path / "a.npz")
    assert recording.index.events.size == 65
    assert same(everything(recording), EVENTS)


def test_rows_that_are_no_events_are_counted(tmp_path: Path) -> None:
    rows = np.column_stack((T, X, Y, P)).astype(np.float64)
    rows[7, 0], rows[8, 1], rows[9, 2], rows[10, 3], rows[11, 0] = np.nan, np.inf, 1.5, 2, 1e300
    rows[20, 1] = -1
    rows[22, 3] = -2
    rows[21, 1] = 60_000
    np.save(tmp_path / "a.npy", rows)
    recording = open_recording(tmp_path / "a.npy")
    assert recording.n_events == T.size - 8
    counters = recording.counters()
    assert counters.dropped == 8
    assert any(note.startswith("6 rows are no events") for note in counters.notes)
    assert any(note.startswith("2 events") for note in counters.notes)


@pytest.mark.parametrize("n_cut", [1, 31, 32, 33, 100_000])
def test_an_array_that_is_cut(tmp_path: Path, n_cut: int) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.column_stack((T, X, Y, P)))
    os.truncate(path, path.stat().st_size - n_cut)
    recording = open_recording(path)
    n_kept = T.size - -(-n_cut // 32)
    assert same(everything(recording), EVENTS[:n_kept])
    counters = recording.counters()
    assert (counters.truncated, counters.skipped_bytes) == (True, -n_cut % 32)
    assert f"Of 5,000 rows {n_kept:,} are there" in counters.notes[-1]


def test_columns_that_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.asfortranarray(np.column_stack((T, X, Y, P))))
    os.truncate(path, path.stat().st_size - 8 * 1000 - 3)
    recording = open_recording(path)
    assert same(everything(recording), EVENTS[:3999])
    assert recording.counters().truncated


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.array([{"a": 1}], object), "pickled Python objects"),
        (records(("t", "<i8", T), ("x", "u2", X), ("y", "u2", Y)), "found 't', 'x', 'y'; pass which is which"),
        (np.zeros((3, 3)), "found 3x3 of float64"),
        (np.array(["t"]), "found 1 of <U1"),
        (np.column_stack((T, X, Y, P, P)), "found 5 without names"),
        (np.column_stack((T, T, T, T)), "none that fits"),
        (np.zeros((0, 4), int), "found none that fits|to hold events"),
        (records(("t", "<M8[us]", T), ("x", "u2", X), ("y", "u2", Y), ("p", "?", P)), "found 'x', 'y', 'p'"),
        (records(("t", "<i8", T), ("x", "u2", X), ("y", "u2", Y), ("p", "u1", 7 + P)), "an event in each row"),
    ],
)
def test_what_is_something_else_is_refused(tmp_path: Path, array: np.ndarray, found: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=found):
        open_recording(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", array)
    with pytest.raises(InputError, match=found):
        open_recording(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"image": np.zeros(3), "label": np.zeros(3)}, "found 'image', 'label'"),
        ({"t": T, "x": X, "y": Y, "p": P[1:]}, "of one length .* found 't': 5000 of int64, .* 'p': 4999 of uint8"),
        ({"t": T, "x": X, "y": Y, "p": P.astype(object)}, "'p' of .* found pickled Python objects"),
        ({"t": T, "x": X, "y": Y, "p": P.astype(complex)}, "complex128"),
    ],
)
def test_an_archive_of_something_else(tmp_path: Path, held: dict[str, np.ndarray], found: str) -> None:
    np.savez(tmp_path / "a.npz", **held)
    with pytest.raises(InputError, match=found):
        open_recording(tmp_path / "a.npz")


def test_a_zip_without_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="expected arrays in the archive"):
        open_recording(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "header", [b"{", b"9" * 300, b"{'descr': '<i8'}", b"{'descr': [('t', 'zz')], 'fortran_order': 0, 'shape': (4,)}"]
)
def test_a_header_that_says_nothing(tmp_path: Path, header: bytes) -> None:
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)
    with pytest.raises(InputError, match="expected a NumPy array"):
        open_recording(write(tmp_path, content, "a.npy"))


@pytest.mark.parametrize("shape", ["(4294967295, 4)", "(4, 9223372036854775807)", "(-1, 4)", "(True, 4)", "(2.0, 4)"])
def test_a_shape_beyond_the_file(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}}}".encode()
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    rows = np.array([[1, 9, 3, 1], [2, 5, 4, 0], [3, 7, 2, 1]], "<i8").tobytes()
    path = write(tmp_path, content + rows, "a.npy")
    if shape.startswith("(42"):
        assert everything(open_recording(path)).tolist() == [(1, 9, 3, 1), (2, 5, 4, 0), (3, 7, 2, 1)]
        return
    with pytest.raises(InputError, match=r"the shape|none that fits|to hold events"):
        open_recording(path)


def test_an_archive_that_expands_to_terabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "_LITTLE", 1 << 16)
    np.savez_compressed(tmp_path / "a.npz", t=np.zeros(1 << 20), x=X, y=Y, p=P)
    with pytest.raises(InputError, match="to a size that events have, found 8,4"):
        open_recording(tmp_path / "a.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    at = content.find(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xfe\xff\xff\xff"  # the size in the directory
    monkeypatch.undo()
    with pytest.raises(InputError, match="found 4,294,"):
        open_recording(write(tmp_path, bytes(content), "b.npz"))


def test_damage_inside_a_compressed_array_keeps_what_is_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "_AT_ONCE", 256)
    np.savez_compressed(tmp_path / "a.npz", t=T, x=X, y=Y, p=P)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        member = archive.getinfo("t.npy")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    at = member.header_offset + member.compress_size // 2
    content[at : at + 64] = bytes(64)
    recording = open_recording(write(tmp_path, bytes(content), "b.npz"))
    assert 0 < recording.n_events < T.size
    counters = recording.counters()
    assert counters.truncated
    assert "is damaged" in str(counters.notes)


@pytest.mark.parametrize("sensor", [Sensor(346, 260, "DAVIS346 µ"), Sensor(500, 300)])
def test_round_trip_in_parts(tmp_path: Path, sensor: Sensor) -> None:
    path = tmp_path / "new" / "a.npz"
    writer = written_as(path).writing().open_writer(path, sensor)
    events = EVENTS.copy()
    events["t"] += 1_633_953_690_975_950
    for part in np.array_split(events, 3):
        writer.write(part)
    writer.close()
    assert [each.name for each in path.parent.iterdir()] == ["a.npz"]
    recording = open_recording(path)
    assert same(everything(recording), events)
    assert recording.info.sensor == sensor
    assert written_as(path).writing().what_is_lost(recording.info) == ()
    with np.load(path, allow_pickle=False) as theirs:
        assert sorted(theirs) == ["p", "sensor_name", "sensor_size", "t", "x", "y"]
        assert np.array_equal(theirs["t"], events["t"])
        assert np.array_equal(theirs["p"], events["polarity"])
        assert theirs["sensor_size"].tolist() == [sensor.width, sensor.height]


def test_after_abort_nothing_is_left(tmp_path: Path) -> None:
    writer = written_as(tmp_path / "a.npz").writing().open_writer(tmp_path / "a.npz", Sensor(8, 8))
    writer.write(EVENTS)
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_options_tell_what_the_numbers_do_not(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.column_stack((P, T // 1000, Y, X, P)))
    recording = open_recording(tmp_path / "a.npy", ReadSettings((300, 200), "ptyx", "ms"))
    assert everything(recording)["t"].tolist() == (T // 1000 * 1000).tolist()
    assert everything(recording)["x"].tolist() == X.tolist()
    assert recording.info.sensor == Sensor(300, 200)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_a_sentence_or_a_count(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    path = tmp_path / "a.npz"
    if seed % 3 == 0:
        path = tmp_path / "a.npy"
        np.save(path, list(SINGLE.values())[seed % len(SINGLE)][:300])
    else:
        (np.savez if seed % 3 == 1 else np.savez_compressed)(path, t=T[:300], x=X[:300], y=Y[:300], p=P[:300])
    content = bytearray(path.read_bytes())
    for _ in range(random.integers(1, 6)):
        at = (
            random.integers(len(content))
            if seed % 2
            else random.choice([random.integers(200), -random.integers(1, 400)])
        )
        content[at] = random.integers(256)
    with suppress(InputError):
        recording = open_recording(
            write(tmp_path, bytes(content[: random.integers(len(content) // 2, len(content) + 1)]))
        )
        assert everything(recording).size == recording.n_events


def test_what_zipfile_says_of_damage_is_cut_short(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", t=T, x=X, y=Y, p=P)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[26:28] = b"\xff\x0f"  # the length of the first name: zipfile repeats all that it then takes for the name
    with pytest.raises(InputError, match="to be a whole archive") as caught:
        open_recording(write(tmp_path, bytes(content), "b.npz"))
    assert len(str(caught.value)) < 400


def test_a_name_of_a_sensor_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, t=T, x=X, y=Y, p=P, sensor_size=[240, 180], sensor_name=np.array("DVS"))
    content = path.read_bytes().replace("VS".encode("utf-32-le"), b"\xff\xff\xff\xff\n\0\0\0")
    assert content != path.read_bytes()
    recording = open_recording(write(tmp_path, content, "b.npz"))
    assert recording.info.sensor.name.startswith("D")
    assert recording.info.sensor.name.isprintable()


def test_rows_without_numbers_do_not_tell_the_order(tmp_path: Path) -> None:
    rows = np.column_stack((T, X, Y, P)).astype(np.float64)
    rows[:18, 1] = np.nan
    np.save(tmp_path / "a.npy", rows)
    assert same(everything(open_recording(tmp_path / "a.npy")), EVENTS[18:])
    np.save(tmp_path / "a.npy", rows[:18])
    with pytest.raises(InputError, match="none that fits"):
        open_recording(tmp_path / "a.npy")

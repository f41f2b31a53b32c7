from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from hdf5_files import RECORD, Packing, ecf_chunk, records, write_columns, write_matlab73, write_prophesee
from recording_files import random_events, same
from spikebridge.errors import InputError, MissingError
from spikebridge.events import EventArray
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

EVENTS = random_events(2500, width=640, height=480)
ALWAYS = 1 << 61


def everything(recording: IndexedRecording) -> EventArray:
    return recording.read(-ALWAYS, ALWAYS)


def sized(width: int = 640, height: int = 480) -> ReadSettings:
    return ReadSettings(size=(width, height))


# ---------------------------------------------------------------- Prophesee


def test_ecf_with_geometry_and_triggers(tmp_path: Path) -> None:
    recording = open_recording(write_prophesee(tmp_path / "a.h5", EVENTS, n_triggers=7))
    assert same(everything(recording), EVENTS)
    assert (recording.format, recording.info.sensor.width, recording.info.sensor.height) == ("HDF5", 640, 480)
    assert recording.samples == {"triggers": 7}
    assert recording.counters().notes == ()


def test_chunks_that_the_filter_left_alone(tmp_path: Path) -> None:
    assert same(everything(open_recording(write_prophesee(tmp_path / "a.h5", EVENTS, mask=1))), EVENTS)


@pytest.mark.parametrize("options", [{}, {"chunks": (700,)}, {"chunks": (700,), "compression": "gzip"}])
def test_records_without_ecf(tmp_path: Path, options: dict[str, object]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["geometry"] = "640x480"
        file.create_dataset("CD/events", data=records(EVENTS), **options)
    assert same(everything(open_recording(tmp_path / "a.h5")), EVENTS)


def test_whole_and_in_chunks_are_the_same_at_every_border(tmp_path: Path) -> None:
    events = random_events(2 * CHUNK_EVENTS + 100, longest_us=3)
    recording = open_recording(write_prophesee(tmp_path / "a.h5", events, chunk_rows=CHUNK_EVENTS // 4 + 1))
    assert recording.index.events.size > 2
    assert same(everything(recording), events)
    for t_us in (*recording.index.first_us.tolist(), *recording.index.last_us.tolist()):
        for start in (t_us - 2, t_us, t_us + 1):
            expected = events[(events["t"] >= start) & (events["t"] < start + 3)]
            assert same(recording.read(start, start + 3), expected)


@pytest.mark.parametrize(("number", "packing"), [(0, "yxp"), (1, "xp")])
def test_a_damaged_chunk_costs_only_itself(tmp_path: Path, number: int, packing: Packing) -> None:
    path = write_prophesee(tmp_path / "a.h5", EVENTS, chunk_rows=1000)
    start = 1000 * number
    size = len(ecf_chunk(EVENTS[start : start + 1000], packing))
    with h5py.File(path) as file:
        at = file["CD/events"].id.get_chunk_info(number).byte_offset
    content = bytearray(path.read_bytes())
    content[at] ^= 8  # two events more than there are
    path.write_bytes(content)
    recording = open_recording(path)
    assert same(everything(recording), np.delete(EVENTS, range(start, start + 1000)))
    counters = recording.counters()
    assert (counters.dropped, counters.skipped_bytes) == (1000, size)
    assert counters.notes == (
        "1000 rows have no time or could not be read and were dropped.",
        "1 packet damaged and skipped.",
    )


def test_chunks_that_were_never_written(tmp_path: Path) -> None:
    path = write_prophesee(tmp_path / "a.h5", EVENTS, chunk_rows=1000)
    with h5py.File(path, "r+") as file:
        file["CD/events"].resize((10_000,))
    recording = open_recording(path)
    # The last chunk holds 500 events, as Metavision ends one; its other 500 rows and 7000 behind it are nowhere.
    assert same(everything(recording), EVENTS)
    assert recording.counters().truncated
    assert "7000 rows of CD/events have no place in the file" in recording.counters().notes[0]
    assert recording.counters().dropped == 500


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused_in_a_sentence(tmp_path: Path, part: float) -> None:
    path = write_prophesee(tmp_path / "a.h5", EVENTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=r"whole HDF5 file, found one that cannot be opened \(truncated file.*copy it"):
        open_recording(path)


def test_a_file_that_is_still_written(tmp_path: Path) -> None:
    with h5py.File(write_columns(tmp_path / "a.h5", EVENTS), "r+"):
        opens = "import sys; from spikebridge.recordings import open_recording; open_recording(sys.argv[1])"
        ended = subprocess.run([sys.executable, "-c", opens, tmp_path / "a.h5"], capture_output=True, text=True)
    assert "found that another program writes to it; wait until it is closed" in ended.stderr


def test_no_geometry_is_told_from_the_events(tmp_path: Path) -> None:
    recording = open_recording(write_prophesee(tmp_path / "a.h5", EVENTS, geometry=None))
    assert (recording.info.sensor.width, recording.info.sensor.height) == (640, 480)
    assert recording.counters().notes[0].startswith("The file names no sensor: 640x480 px hold the events")


def test_records_in_ecf_that_are_others(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((10,))
        creation.set_filter(0x8ECF, h5py.h5z.FLAG_OPTIONAL, ())
        kind = h5py.h5t.py_create(np.dtype([(name, "<i8") for name in "xypt"]))
        group = file.create_group("CD")
        h5py.h5d.create(group.id, b"events", kind, h5py.h5s.create_simple((10,)), creation)
    with pytest.raises(InputError, match="in ECF, found"):
        open_recording(path)


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("group", "names"),
    [("events", "x y t p"), ("", "x y t p"), ("events", "xs ys ts ps"), ("prophesee/left", "x y t p"),
     ("a", "x y timestamp polarity"), ("CD", "X Y TS Pol")],
)  # fmt: skip
def test_columns_by_their_names(tmp_path: Path, group: str, names: str) -> None:
    recording = open_recording(write_columns(tmp_path / "a.h5", EVENTS, group, names), sized())
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (700,)},
        {"chunks": (700,), "compression": "gzip", "shuffle": True},
        {"chunks": (700,), "compression": "lzf", "fletcher32": True},
        {"chunks": (2500,), "scaleoffset": 0},
    ],
)
def test_columns_in_chunks(tmp_path: Path, options: dict[str, object]) -> None:
    assert same(everything(open_recording(write_columns(tmp_path / "a.h5", EVENTS, **options), sized())), EVENTS)


def test_plain_columns_in_order_are_open_without_being_gone_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = random_events(3 * CHUNK_EVENTS, longest_us=2)
    path = write_columns(tmp_path / "a.h5", events)
    with monkeypatch.context() as patch:
        patch.delattr(Scan, "begin")
        recording = open_recording(path, sized())
        assert same(everything(recording), events)
    events["t"][CHUNK_EVENTS] = 0
    recording = open_recording(write_columns(tmp_path / "b.h5", events), sized())
    assert recording.n_events == events.size
    assert recording.counters().notes != ()


def test_columns_in_chunks_of_different_lengths(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, field, rows in (("x", "x", 100), ("y", "y", 333), ("t", "t", 700), ("p", "polarity", 2500)):
            file.create_dataset(f"events/{name}", data=EVENTS[field], chunks=(rows,), compression="gzip")
    assert same(everything(open_recording(tmp_path / "a.h5", sized())), EVENTS)


def test_chunks_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    events = random_events(3 * CHUNK_EVENTS + 5, longest_us=2)
    path = write_columns(tmp_path / "a.h5", events, chunks=(2 * CHUNK_EVENTS + 1,), compression="gzip")
    recording = open_recording(path, sized())
    assert recording.index.events.max() <= CHUNK_EVENTS
    assert same(everything(recording), events)


def test_columns_of_other_kinds_of_numbers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events/x"] = EVENTS["x"].astype(">i4")
        file["events/y"] = EVENTS["y"].astype("f4") + 0.25
        file["events/t"] = EVENTS["t"].astype("<u4")
        file["events/p"] = EVENTS["polarity"].astype("i2") * 2 - 1
    assert same(everything(open_recording(tmp_path / "a.h5", sized())), EVENTS)


def test_polarities_that_are_truth_values(tmp_path: Path) -> None:
    with h5py.File(write_columns(tmp_path / "a.h5", EVENTS), "r+") as file:
        del file["events/p"]
        file["events/p"] = EVENTS["polarity"].astype(bool)
    assert same(everything(open_recording(tmp_path / "a.h5", sized())), EVENTS)


def test_t_offset_of_dsec_is_added(tmp_path: Path) -> None:
    with h5py.File(write_columns(tmp_path / "a.h5", EVENTS), "r+") as file:
        file["t_offset"] = 49_599_300_523
    recording = open_recording(tmp_path / "a.h5", sized())
    assert recording.info.t_first_us == int(EVENTS["t"][0]) + 49_599_300_523
    assert everything(recording)["t"][-1] == int(EVENTS["t"][-1]) + 49_599_300_523


def test_m3ed_has_two_cameras_and_their_resolution(tmp_path: Path) -> None:
    write_columns(tmp_path / "a.h5", EVENTS, "prophesee/left")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        for name in "xytp":
            file[f"prophesee/right/{name}"] = file[f"prophesee/left/{name}"][:10]
        file["prophesee/left/calib/resolution"] = np.array([1280, 720])
    recording = open_recording(tmp_path / "a.h5")
    assert same(everything(recording), EVENTS)
    assert (recording.info.sensor.width, recording.info.sensor.height) == (1280, 720)
    assert recording.samples == {"events of prophesee/right": 10}
    assert recording.counters().notes == ("prophesee/right has 10 events too, which were left out.",)


def test_a_camera_without_events_is_not_the_first(tmp_path: Path) -> None:
    write_columns(tmp_path / "a.h5", EVENTS, "right")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        for name in "xytp":
            file[f"left/{name}"] = file[f"right/{name}"][:0]
    recording = open_recording(tmp_path / "a.h5", sized())
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


def test_columns_of_different_lengths(tmp_path: Path) -> None:
    with h5py.File(write_columns(tmp_path / "a.h5", EVENTS), "r+") as file:
        del file["events/x"]
        file["events/x"] = EVENTS["x"][:2400]
    recording = open_recording(tmp_path / "a.h5", sized())
    assert same(everything(recording), EVENTS[:2400])
    assert recording.counters().dropped == 100
    assert "The columns of events have 2400 to 2500 rows; the others were lost." in recording.counters().notes


def test_events_outside_are_dropped_and_counted(tmp_path: Path) -> None:
    recording = open_recording(write_columns(tmp_path / "a.h5", EVENTS), sized(600, 480))
    assert same(everything(recording), EVENTS[EVENTS["x"] < 600])
    assert recording.counters().dropped == int((EVENTS["x"] >= 600).sum()) > 0


def test_times_that_are_none(tmp_path: Path) -> None:
    t = EVENTS["t"] * 1e-6
    t[[5, 1000]] = np.nan
    with h5py.File(write_columns(tmp_path / "a.h5", EVENTS), "r+") as file:
        del file["events/t"]
        file["events/t"] = t
    recording = open_recording(tmp_path / "a.h5", sized())
    assert same(everything(recording), np.delete(EVENTS, [5, 1000]))
    assert recording.counters().dropped == 2


def test_a_filter_of_a_plug_in_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((100,))
        creation.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())  # blosc
        group = file.create_group("events")
        for name in (b"x", b"y", b"t", b"p"):
            column = h5py.h5d.create(group.id, name, h5py.h5t.NATIVE_INT64, h5py.h5s.create_simple((100,)), creation)
            column.write_direct_chunk((0,), bytes(800))
    with pytest.raises(MissingError, match=r"pip install hdf5plugin$"):
        open_recording(tmp_path / "a.h5")


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    write_columns(tmp_path / "b.h5", EVENTS)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = h5py.ExternalLink("b.h5", "/events")
    with pytest.raises(InputError, match="found no data sets of numbers"):
        open_recording(tmp_path / "a.h5")


def test_what_else_a_file_holds_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["spikes/times"] = np.arange(5.0)
        file["labels"] = np.arange(3)
    with pytest.raises(InputError, match=r"found labels \(3,\), spikes/times \(5,\); convert it"):
        open_recording(tmp_path / "a.h5")


def test_no_events(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found HDF5 without any"):
        open_recording(write_columns(tmp_path / "a.h5", EVENTS[:0]))


def test_chunks_too_large_to_be_unpacked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "xytp":
            file.create_dataset(f"events/{name}", (1 << 24,), "<i8", chunks=(1 << 24,), compression="gzip")
    with pytest.raises(InputError, match="h5repack"):
        open_recording(tmp_path / "a.h5")


# ---------------------------------------------------------------- matrices


def test_mvsec_in_seconds(tmp_path: Path) -> None:
    matrix = np.column_stack([EVENTS["x"], EVENTS["y"], EVENTS["t"] * 1e-6 + 1.5e9, EVENTS["polarity"] * 2.0 - 1])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["davis/left/events"] = matrix
    recording = open_recording(tmp_path / "a.h5", sized())
    expected = EVENTS.copy()
    expected["t"] += 1_500_000_000_000_000
    assert same(everything(recording), expected)
    assert recording.counters().notes == ("The times have fractions and were read as seconds.",)


@pytest.mark.parametrize("chunks", [None, (300, 4), (300, 1), (512, 3)])
def test_v2e(tmp_path: Path, chunks: tuple[int, int] | None) -> None:
    matrix = np.column_stack([EVENTS["t"], EVENTS["x"], EVENTS["y"], EVENTS["polarity"]]).astype("u4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("events", data=matrix, chunks=chunks, compression="gzip" if chunks else None)
    assert same(everything(open_recording(tmp_path / "a.h5", sized())), EVENTS)


def test_a_matrix_that_does_not_show_its_order(tmp_path: Path) -> None:
    matrix = np.column_stack([EVENTS["polarity"], EVENTS["t"], EVENTS["x"], EVENTS["y"]])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = matrix
    with pytest.raises(InputError, match="pass --columns"):
        open_recording(tmp_path / "a.h5")
    recording = open_recording(tmp_path / "a.h5", ReadSettings(size=(640, 480), columns="ptxy"))
    assert same(everything(recording), EVENTS)


# ---------------------------------------------------------------- MATLAB 7.3


@pytest.mark.parametrize("options", [{}, {"chunks": (1, 700), "compression": "gzip"}])
def test_matlab_rows_and_columns(tmp_path: Path, options: dict[str, object]) -> None:
    fields = (("x", "x", float), ("y", "y", "u2"), ("ts", "t", "u4"), ("pol", "polarity", "i1"))
    variables = {f"TD/{name}": EVENTS[field].astype(kind)[None] for name, field, kind in fields}
    recording = open_recording(write_matlab73(tmp_path / "a.mat", variables, **options), sized())
    assert recording.format == "MATLAB 7.3"
    assert same(everything(recording), EVENTS)
    standing = {name: values.T for name, values in variables.items()}
    assert same(everything(open_recording(write_matlab73(tmp_path / "b.mat", standing), sized())), EVENTS)


def test_matlab_that_counts_from_1(tmp_path: Path) -> None:
    events = EVENTS.copy()
    events["x"][0] = events["y"][0] = 0
    variables = {
        name: events[field].astype(float) + first
        for name, field, first in (("x", "x", 1), ("y", "y", 1), ("ts", "t", 0), ("p", "polarity", 1))
    }
    variables["ts"] *= 10
    recording = open_recording(write_matlab73(tmp_path / "a.mat", variables))
    events["t"] *= 10
    assert same(everything(recording), events)
    assert "The file counts from 1: polarities 1 and 2 are OFF and ON, the first px is 1." in recording.counters().notes
    assert (recording.info.sensor.width, recording.info.sensor.height) == (640, 480)


def test_coordinates_from_1_alone_are_no_sure_sign(tmp_path: Path) -> None:
    events = EVENTS.copy()
    events["x"], events["y"] = np.maximum(events["x"], 1), np.maximum(events["y"], 1)
    recording = open_recording(write_columns(tmp_path / "a.h5", events))
    assert same(everything(recording), events)
    assert any("The smallest x and y are 1" in note for note in recording.counters().notes)


def test_records_have_the_size_of_prophesee() -> None:
    assert RECORD.itemsize == 16

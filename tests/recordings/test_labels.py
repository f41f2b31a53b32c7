"""Labels beside recordings: read as written, and named where they are wrong."""

from __future__ import annotations

import os

import pytest

from spikebridge.errors import InputError
from spikebridge.recordings.labels import LiveLabels, Span, check_inside, labels_path, read_labels, write_labels

HEADER = "class,startTime_usec,endTime_usec\n"


def test_written_labels_come_back(tmp_path):
    path = labels_path(tmp_path / "wave.aedat4")
    assert path.name == "wave_labels.csv"
    spans = [Span(1, -5, 700), Span(10, 900, 1200)]
    write_labels(path, spans)
    assert read_labels(path) == (spans, [])
    assert path.read_text().splitlines()[1] == "right_hand_wave,-5,700"
    assert list(tmp_path.iterdir()) == [path]


def test_labels_are_whole_whenever_they_were_flushed(tmp_path):
    path = tmp_path / "wave_labels.csv"
    labels = LiveLabels(path)
    labels.flush()
    assert not path.exists()
    expected = []
    for label, start_us, stop_us, last in (
        (7, 0, 10_000, Span(7, 0, 10_000)),
        (7, 10_000, 20_000, Span(7, 0, 20_000)),
        (7, 20_000, 99_999_999, Span(7, 0, 99_999_999)),
        (7, 100_000_000, 100_000_001, Span(7, 100_000_000, 100_000_001)),  # there was a pause
        (10, 100_000_001, 100_000_002, Span(10, 100_000_001, 100_000_002)),
        (0, 100_000_002, 100_000_003, Span(0, 100_000_002, 100_000_003)),
    ):
        labels.extend(label, start_us, stop_us)
        if not expected or expected[-1].start_us != last.start_us:
            expected.append(last)
        expected[-1] = last
        labels.flush()
        labels.flush()
        assert read_labels(path) == (expected, [])
    labels.extend(0, 100_000_003, 100_000_004)
    labels.extend(5, 100_000_004, 100_000_005)
    labels.extend(6, 100_000_005, 100_000_006)
    labels.flush()
    labels.sync()
    labels.close()
    labels.close()
    expected[-1] = Span(0, 100_000_002, 100_000_004)
    expected += [Span(5, 100_000_004, 100_000_005), Span(6, 100_000_005, 100_000_006)]
    assert read_labels(path) == (expected, [])
    assert labels.spans == expected


def test_a_row_that_finds_no_room_leaves_no_part_of_itself(tmp_path, monkeypatch):
    path = tmp_path / "wave_labels.csv"
    labels = LiveLabels(path)
    labels.extend(7, 0, 10_000)
    labels.flush()
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, rows, at: pwrite(fd, rows[:20], at))
    labels.extend(8, 10_000, 20_000)
    with pytest.raises(OSError, match="No space left"):
        labels.flush()
    labels.close()
    assert read_labels(path) == ([Span(7, 0, 10_000)], [])


def test_a_label_that_reaches_into_the_next_is_cut_and_said(tmp_path):
    path = tmp_path / "user22_led_labels.csv"
    path.write_text(HEADER + "1,0,700\n2,600,900\n")
    spans, notes = read_labels(path)
    assert spans == [Span(0, 0, 600), Span(1, 600, 900)]
    assert len(notes) == 1
    assert "line 2 ends 100 µs" in notes[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("last", ["", "{0}{0}", '""{0} {0}', " "])
def test_labels_as_spreadsheets_save_them(tmp_path, encoding, delimiter, end, last):
    """last : what stands in a row after all labels."""
    rows = [["class", "startTime_usec", "endTime_usec", ""], ["1", "5000000", " 5500000 ", ""]]
    rows.append(["right_hand_wave", "5500000", "5999000"])
    text = end.join([delimiter.join(row) for row in rows] + [last.format(delimiter)]) + end
    mark = "\ufeff" if encoding[-3:] in ("-le", "-be") else ""
    path = tmp_path / "labels.csv"
    path.write_bytes((mark + text).encode(encoding))
    assert read_labels(path) == ([Span(0, 5_000_000, 5_500_000), Span(1, 5_500_000, 5_999_000)], [])


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("label,start,end\n1,0,1\n", "begin with"),
        (HEADER + "12,0,100\n", "found 12"),
        (HEADER + "0,0,100\n", "found 0"),
        (HEADER + "1,100,100\n", "100 to 100"),
        (HEADER + "1,200,300\n2,100,150\n", "line 3 before line 2"),
        (HEADER + "wave,0,100\n", "class and two times in line 2"),
        (HEADER + "1,zero,100\n", "class and two times in line 2"),
        (HEADER + "1,0\n", "class and two times in line 2"),
        (HEADER + "1,0,100,7\n", "class and two times in line 2"),
        (HEADER + ",0,100\n", "class and two times in line 2"),
        (HEADER + "1,,100\n", "class and two times in line 2"),
        (HEADER + ",,\n\n1,1.58E+15,100\n", "class and two times in line 4"),
        (HEADER, "at least one label"),
        ("", "begin with"),
    ],
)
def test_bad_tables_are_named(tmp_path, table, found):
    path = tmp_path / "labels.csv"
    path.write_text(table)
    with pytest.raises(InputError, match=found):
        read_labels(path)


def test_labels_of_another_recording_are_named(tmp_path):
    check_inside(tmp_path / "a.aedat4", [Span(0, 0, 1500), Span(0, 1500, 9000)], 1000, 2000)
    for stray in (Span(0, 0, 1000), Span(0, 2001, 3000)):
        with pytest.raises(InputError, match="another recording"):
            check_inside(tmp_path / "a.aedat4", [stray], 1000, 2000)


def test_labels_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(InputError, match=r"nowhere_labels\.csv"):
        read_labels(tmp_path / "nowhere_labels.csv")
    for content in (b"\xff\xfe\x00", b"\xff\x00\x01", b"\x80" * 9):
        (tmp_path / "binary_labels.csv").write_bytes(content)
        with pytest.raises(InputError, match=r"binary_labels\.csv"):
            read_labels(tmp_path / "binary_labels.csv")
    with pytest.raises(InputError, match="expected to write the labels"):
        write_labels(tmp_path / "no" / "folder_labels.csv", [])

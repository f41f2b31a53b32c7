"""The table of all formats, and which one a file is in: told from its content, as names lie too often.

A new format is a row here and its module.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.settings import ReadSettings

_HEAD_BYTES = 4096
#: In the folder of a ROS 2 bag, which is a recording as a whole.
BAG_INDEX = "metadata.yaml"
#: Of files that may as well be something else.
_COMMON_SUFFIXES = (".csv", ".txt", ".npy", ".npz", ".mat", ".bin", ".dat", ".h5", ".hdf5", ".bag")
#: A line of four numbers (or on, off, true, false) or more, after any others; or nothing but lines of comments so far.
_VALUE = rb"(?:[-+]?\.?[0-9][0-9.eE+-]*|(?i:true|false|on|off))"
_TABLE = (
    rb"(?:\xef\xbb\xbf)?(?:(?s:.*?)(?:\A|[\r\n]|(?<=\xef\xbb\xbf))[ \t]*VALUE(?:(?:[ \t]*[,;][ \t]*|[ \t]+)VALUE){3}"
    rb"|(?:[ \t]*(?:#|%|//)[^\r\n\0]*(?:[\r\n]+|\Z))+\Z)"
).replace(b"VALUE", _VALUE)
#: As Metavision writes it: its header looks like that of a RAW file.
_TABLE_OF_METAVISION = rb"(?:%[^\r\n\0]*[\r\n]+)+[0-9]+(?:[,;\t ]+[-0-9.]+){3}[ \t]*[\r\n]"


class Reader(Protocol):
    """What the module of a format that is read offers."""

    def open_recording(self, path: Path, settings: ReadSettings) -> IndexedRecording: ...


class EventWriter(Protocol):
    """A recording being written: it appears under its name when it is closed, and not at all after ``abort``.

    All of them raise InputError where the file can't be written.
    """

    def write(self, events: EventArray) -> None:
        """Appends events, sorted by time and not before those already written."""
        ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Writer(Protocol):
    """What the module of a format that is written offers."""

    def open_writer(self, path: Path, sensor: Sensor) -> EventWriter: ...

    def what_is_lost(self, info: SourceInfo) -> tuple[str, ...]:
        """A sentence for each thing that the format can't hold of a recording; UsageError where it can't at all."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format of files.

    module : below this package, with a ``Reader``; empty for what is only known by name. signature : pattern that the
    first bytes match; None where content has none, then the name's suffix tells. suffixes : of files that are taken
    for recordings where a folder is looked through; the first one chooses the format where one is written. writer :
    module with a ``Writer``. hint : what to do with a format that is not read.
    """

    name: str
    module: str
    signature: bytes | None
    suffixes: tuple[str, ...] = ()
    writer: str = ""
    hint: str = ""

    def reader(self) -> Reader:
        return cast("Reader", importlib.import_module(f"spikebridge.recordings.{self.module}"))

    def writing(self) -> Writer:
        return cast("Writer", importlib.import_module(f"spikebridge.recordings.{self.writer}"))


#: Keys of the headers of RAW files, also of those from before their format was one.
_RAW_KEYS = (
    rb"% *(?:[Dd]ate|format|evt|geometry|integrator_name|camera_integrator_name|plugin_name|plugin_integrator_name|"
    rb"system_ID|subsystem_ID|sub_system_ID|sensor_generation|sensor_name|generation|serial_number|firmware_version)\b"
)
#: Words of EVT2, EVT3 or EVT2.1 in both orders: their highest four bits are one of few types. Text has no EVT3's 8.
_EVT_WORDS = (
    rb"(?s)(?:...[\x00-\x1f\x80-\x8f\xa0-\xaf\xe0-\xff]){256}"
    rb"|(?=(?:..)*?.[\x80-\x8f])(?:.[^\x10-\x1f\x90-\x9f\xb0-\xdf]){1024}"
    rb"|(?:...[\x00-\x1f\x80-\x8f\xa0-\xaf\xe0-\xff]....){256}"
    rb"|(?:.{7}[\x00-\x1f\x80-\x8f\xa0-\xaf\xe0-\xff]){256}"
)
#: The first that a file matches counts.
FORMATS: tuple[Format, ...] = (
    Format("AEDAT 2.0", "aedat.aedat2", rb"#!AER-DAT2\.0", (".aedat",)),
    Format("AEDAT 3.1", "aedat.aedat3", rb"#!AER-DAT3\.1", (".aedat",)),
    Format("AEDAT4", "aedat.aedat4", rb"#!AER-DAT4\.0", (".aedat4",), writer="aedat.aedat4_writing"),
    Format("AEDAT 1.0", "", rb"#!AER-DAT1\.0", hint="save it as AEDAT 2.0 with jAER"),
    Format("AEDAT of an unknown version", "", rb"#!AER-DAT", hint="save it as AEDAT 2.0 with jAER"),
    Format("Event Stream", "event_stream", rb"Event Stream", (".es",), "event_stream_writing"),
    Format("HDF5", "hdf5.layouts", rb"\x89HDF\r\n\x1a\n", (".h5", ".hdf5"), writer="hdf5.writing"),
    Format("MATLAB 7.3", "hdf5.layouts", rb"MATLAB 7\.3 MAT-file", (".mat",)),
    Format("MATLAB 5", "hdf5.matlab5", rb"MATLAB 5\.0 MAT-file", (".mat",)),
    Format(
        "box labels of objects (*_bbox.npy)",
        "",
        rb"\x93NUMPY[\s\S]{0,512}'class_id'",
        hint="name the recording that they lie beside",
    ),
    Format("NPY", "tables.arrays", rb"\x93NUMPY", (".npy",)),
    Format("NPZ", "tables.arrays", rb"PK(?:\x03\x04|\x05\x06)", (".npz",), "tables.npz_writing"),
    Format("a gzip archive", "", rb"\x1f\x8b", hint="unpack it"),
    Format("ROS 1 bag", "ros.reader", rb"#ROSBAG V2\.0", (".bag",)),
    Format("ROS 1 bag of an old version", "", rb"#ROSBAG", hint="bring it up to date with 'rosbag fix'"),
    Format("ROS 2 bag (MCAP)", "ros.reader", rb"\x89MCAP", (".mcap",)),
    Format("ROS 2 bag (SQLite)", "ros.reader", rb"SQLite format 3\0", (".db3",)),
    Format("ROS 2 bag (folder)", "ros.reader", rb"rosbag2_bagfile_information"),
    Format("EVT3", "prophesee.raw", rb"(?:%[^\n]*\n)*% *(?:evt 3\.0|format EVT3)", (".raw",), "prophesee.evt3_writing"),
    Format("EVT2.1", "prophesee.raw", rb"(?:%[^\n]*\n)*% *(?:evt 2\.1|format EVT2\.?1)", (".raw",)),
    Format("EVT2", "prophesee.raw", rb"(?:%[^\n]*\n)*% *(?:evt 2\.0|format EVT2)", (".raw",)),
    Format(
        "DAT",
        "prophesee.dat",
        rb"(?:%[^\n]*\n)*% *(?:Data file containing|Version \d)",
        (".dat",),
        "prophesee.dat_writing",
    ),
    Format("a table of text (CSV)", "tables.text_table", _TABLE_OF_METAVISION, (".csv", ".txt")),
    Format("RAW without a format in its header", "prophesee.raw", _RAW_KEYS, (".raw",)),
    Format("a table of text (CSV)", "tables.text_table", _TABLE, (".csv", ".txt"), "tables.text_writing"),
    Format("a table of text in UTF-16", "", rb"\xff\xfe|\xfe\xff", hint="save it as UTF-8"),
    Format("RAW without a header", "prophesee.raw", _EVT_WORDS),
    Format("N-MNIST or SLAYER events", "tables.five_bytes", None, (".bin", ".bs2")),
    Format("SLAYER spikes of neurons in a row", "", None, (".bs1",), hint="give events with x and y, such as a .bs2"),
)


def recognise(path: Path) -> Format:
    """The format of a file that can be read; InputError names what else the file is."""
    head = _read_head(path)
    for kind in FORMATS:
        if kind.signature is None:
            matches = path.suffix.lower() in kind.suffixes
        else:
            matches = re.match(kind.signature, head) is not None
        if matches and kind.module:
            return kind
        if matches:
            raise InputError(
                f"expected {path} to be {either(readable())}, found {kind.name}, which this version cannot read; "
                f"{kind.hint or 'convert it'}."
            )
    raise InputError(
        f"expected {path} to be a recording ({either(readable())}), found unknown content that starts with "
        f"{head[:8].hex(' ')}; check that it is the right file and complete."
    )


def is_recording(path: Path) -> bool:
    """Whether a file found in a folder is one, damaged or not: by its name, or its content where names say little."""
    suffix = path.suffix.lower()
    if suffix not in suffixes() or suffix not in _COMMON_SUFFIXES:
        return suffix in suffixes()
    try:
        recognise(path)
    except InputError:
        return False
    return True


def readable() -> list[str]:
    """Names of the formats that are read."""
    return list(dict.fromkeys(kind.name for kind in FORMATS if kind.module))


def suffixes() -> tuple[str, ...]:
    """Of the files that are taken for recordings where a folder is looked through."""
    return tuple(dict.fromkeys(suffix for kind in FORMATS if kind.module for suffix in kind.suffixes))


def written_as(path: Path) -> Format:
    """The format in which a file of that name is written; UsageError where there is none."""
    written = [kind for kind in FORMATS if kind.writer]
    for kind in written:
        if path.suffix.lower() in kind.suffixes:
            return kind
    names = [f"*{kind.suffixes[0]} ({kind.name})" for kind in written]
    raise UsageError(f"expected a name like {either(names)}, found '{path}'.")


def either(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _read_head(path: Path) -> bytes:
    if path.is_dir() and (path / BAG_INDEX).is_file():
        path /= BAG_INDEX
    if path.is_dir():
        raise InputError(f"expected {path} to be a recording, found a directory; name one of the files in it.")
    if not path.exists():
        raise InputError(f"expected a recording at {path}, found nothing there; check the spelling of the path.")
    if not path.is_file():
        raise InputError(f"expected {path} to be a recording, found something not a regular file; copy it to a file.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(
            f"expected to read {path}, found: {error.strerror}; check the permissions of the file."
        ) from error
    if not head:
        raise InputError(f"expected {path} to be a recording, found an empty file; record or copy it again.")
    return head

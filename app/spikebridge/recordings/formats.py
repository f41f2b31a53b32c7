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
#: A line of four numbers (or on, off, true, false) or more, after any others; or nothing but lines of comments so far.
_VALUE = rb"(?:[-+]?\.?[0-9][0-9.eE+-]*|(?i:true|false|on|off))"
_TABLE = (
    rb"(?:\xef\xbb\xbf)?(?:(?s:.*?)(?:\A|[\r\n]|(?<=\xef\xbb\xbf))[ \t]*VALUE(?:(?:[ \t]*[,;][ \t]*|[ \t]+)VALUE){3}"
    rb"|(?:[ \t]*(?:#|%|//)[^\r\n\0]*(?:[\r\n]+|\Z))+\Z)"
).replace(b"VALUE", _VALUE)


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


#: The first that a file matches counts.
FORMATS: tuple[Format, ...] = (
    Format("AEDAT 2.0", "aedat.aedat2", rb"#!AER-DAT2\.0", (".aedat",)),
    Format("AEDAT 3.1", "aedat.aedat3", rb"#!AER-DAT3\.1", (".aedat",)),
    Format("AEDAT4", "aedat.aedat4", rb"#!AER-DAT4\.0", (".aedat4",), writer="aedat.aedat4_writing"),
    Format("AEDAT 1.0", "", rb"#!AER-DAT1\.0", hint="save it as AEDAT 2.0 with jAER"),
    Format("AEDAT of an unknown version", "", rb"#!AER-DAT", hint="save it as AEDAT 2.0 with jAER"),
    Format("Event Stream (.es)", "", rb"Event Stream"),
    Format("HDF5", "", rb"\x89HDF\r\n\x1a\n"),
    Format("NPY", "tables.arrays", rb"\x93NUMPY", (".npy",)),
    Format("NPZ", "tables.arrays", rb"PK(?:\x03\x04|\x05\x06)", (".npz",), "tables.npz_writing"),
    Format("a gzip archive", "", rb"\x1f\x8b", hint="unpack it"),
    Format("a ROS bag", "", rb"#ROSBAG"),
    Format("EVT3", "", rb"(?:%[^\n]*\n)*% *(?:evt 3\.0|format EVT3)"),
    Format("EVT2.1", "", rb"(?:%[^\n]*\n)*% *(?:evt 2\.1|format EVT21)"),
    Format("EVT2", "", rb"(?:%[^\n]*\n)*% *(?:evt 2\.0|format EVT2)"),
    Format("DAT", "", rb"(?:%[^\n]*\n)*% *(?:Data file containing|Version [12]\b)"),
    Format("a table of text in UTF-16", "", rb"\xff\xfe|\xfe\xff", hint="save it as UTF-8"),
    Format("a table of text (CSV)", "tables.text_table", _TABLE, (".csv", ".txt"), "tables.text_writing"),
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

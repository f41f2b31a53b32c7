"""Which format a file is in, told from its first bytes; names lie too often."""

from __future__ import annotations

import re
from pathlib import Path

from spikebridge.errors import InputError

AEDAT2 = "AEDAT 2.0"
AEDAT3 = "AEDAT 3.1"
AEDAT4 = "AEDAT4"
#: Formats that this version reads.
READABLE: tuple[str, ...] = (AEDAT2, AEDAT3, AEDAT4)
#: Of the files that are taken for recordings where a folder is looked through.
SUFFIXES = (".aedat", ".aedat4")

_HEAD_BYTES = 4096
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (rb"#!AER-DAT2\.0", AEDAT2),
    (rb"#!AER-DAT3\.1", AEDAT3),
    (rb"#!AER-DAT4\.0", AEDAT4),
    (rb"#!AER-DAT1\.0", "AEDAT 1.0"),
    (rb"#!AER-DAT", "AEDAT of an unknown version"),
    (rb"Event Stream", "Event Stream (.es)"),
    (rb"\x89HDF\r\n\x1a\n", "HDF5"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"#ROSBAG", "a ROS bag"),
    (rb"(?:%[^\n]*\n)*% *(?:evt 3\.0|format EVT3)", "EVT3"),
    (rb"(?:%[^\n]*\n)*% *(?:evt 2\.1|format EVT21)", "EVT2.1"),
    (rb"(?:%[^\n]*\n)*% *(?:evt 2\.0|format EVT2)", "EVT2"),
    (rb"(?:%[^\n]*\n)*% *(?:Data file containing|Version [12]\b)", "DAT"),
    (rb"[\s#a-zA-Z_,;]*-?[0-9.eE+]+[ ,;\t]+-?[0-9]+[ ,;\t]+-?[0-9]+[ ,;\t]+", "a table of text (CSV)"),
)


def recognise(path: Path) -> str:
    """One of ``READABLE``; InputError names what else the file is."""
    head = _read_head(path)
    for signature, name in _SIGNATURES:
        if re.match(signature, head):
            if name in READABLE:
                return name
            raise InputError(
                f"expected {path} to be {_either(READABLE)}, found {name}, which this version cannot read; convert it."
            )
    raise InputError(
        f"expected {path} to be a recording ({_either(READABLE)}), found unknown content that starts with "
        f"{head[:8].hex(' ')}; check that it is the right file and complete."
    )


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


def _either(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"

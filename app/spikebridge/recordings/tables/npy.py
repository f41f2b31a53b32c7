"""One NumPy array in a file: its header, read without numpy's loader, which would run what a pickle says.

As in "NEP 1 – A simple file format for NumPy arrays", versions 1.0 to 3.0.
"""

from __future__ import annotations

import ast
import math
import struct
import warnings
from dataclasses import dataclass

import numpy as np

from spikebridge.errors import InputError
from spikebridge.recordings.recording_file import RecordingFile

MAGIC = b"\x93NUMPY"
#: Longest header that is read; one of a record with ten fields has some 300 bytes.
_LONGEST_HEADER = 1 << 16
#: Kinds of numbers: truth, whole with and without sign, fractions.
NUMBERS = "biuf"


@dataclass(frozen=True, slots=True)
class NpyArray:
    """Where an array lies. name : for messages. at : byte of its first element. n_bytes : that are there of its
    elements. by_columns : the first index runs fastest (Fortran). damage : a sentence where its bytes are not whole."""

    name: str
    file: RecordingFile
    at: int
    n_bytes: int
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    by_columns: bool
    damage: str = ""

    @property
    def whole(self) -> bool:
        """Whether all of its elements are there."""
        return self.n_bytes >= math.prod(self.shape) * self.dtype.itemsize


def read_header(file: RecordingFile, start: int, size: int, name: str, damage: str = "") -> NpyArray:
    """The array whose ``size`` bytes begin at byte ``start``; InputError where there is none that can be read."""
    head = file.read(start, min(size, 12))
    wide = head[6:7] > b"\x01"
    if not head.startswith(MAGIC) or head[6:7] not in (b"\x01", b"\x02", b"\x03") or len(head) < (12 if wide else 10):
        raise _not_an_array(name, f"bytes that start with {head[:8].hex(' ')}")
    (length,) = struct.unpack_from("<I" if wide else "<H", head, 8)
    first = 12 if wide else 10
    if length > _LONGEST_HEADER or first + length > size:
        raise _not_an_array(name, f"a header of {length} bytes in {size}")
    text = file.read(start + first, length).decode("utf-8" if head[6] == 3 else "latin-1", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of text that is damaged
            fields = ast.literal_eval(text.strip())
            dtype = np.lib.format.descr_to_dtype(fields["descr"])
        shape, by_columns = tuple(fields["shape"]), bool(fields["fortran_order"])
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, MemoryError, RecursionError) as error:
        raise _not_an_array(name, "a header that says neither its type nor its shape") from error
    if dtype.hasobject:
        raise InputError(
            f"expected numbers in {name}, found pickled Python objects, which are not loaded as they may run anything; "
            "save it as a numeric array."
        )
    if not all(type(n) is int and n >= 0 for n in shape) or not dtype.itemsize:
        raise _not_an_array(name, f"the shape {str(shape)[:80]}")
    at = start + first + length
    return NpyArray(name, file, at, start + size - at, dtype, shape, by_columns, damage)


def _not_an_array(name: str, found: str) -> InputError:
    return InputError(f"expected a NumPy array in {name}, found {found}; the file is damaged, save it again.")

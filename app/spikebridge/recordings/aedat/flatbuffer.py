"""As much of the flatbuffer format as AEDAT4 needs: a root table with numbers, text and vectors.

The first integers of a flatbuffer say where its table and the table's fields lie; generated classes and their package
would be more code than this. What is read once is read by ``Table``, what is read for every packet by compiled code.
"""

from __future__ import annotations

import struct

import numpy as np
from numba import njit
from numpy.typing import NDArray


class TableError(Exception):
    """Bytes that are not the flatbuffer they should be."""


class Table:
    """The root table of a flatbuffer; fields are counted from 0 as in its schema."""

    def __init__(self, content: bytes, identifier: bytes) -> None:
        if content[4:8] != identifier:
            raise TableError(f"expected a table {identifier!r}, found {content[4:8]!r}")
        self._content = content
        self._at = self._read("<I", 0)
        self._fields_at = self._at - self._read("<i", self._at)
        self._fields_bytes = self._read("<H", self._fields_at)

    def integer(self, field: int, code: str, default: int) -> int:
        at = self._find(field)
        return default if at is None else self._read(code, at)

    def text(self, field: int) -> str:
        """A string; empty when it is not there."""
        at = self._find(field)
        if at is None:
            return ""
        start = at + self._read("<I", at)
        return self._content[start + 4 : start + 4 + self._read("<I", start)].decode("utf-8", "replace")

    def octets(self, field: int) -> bytes:
        """A vector of bytes; empty when it is not there."""
        at = self._find(field)
        if at is None:
            return b""
        start = at + self._read("<I", at)
        return self._content[start + 4 : start + 4 + self._read("<I", start)]

    def _find(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if slot >= self._fields_bytes:
            return None
        offset = self._read("<H", self._fields_at + slot)
        return self._at + offset if offset else None

    def _read(self, code: str, at: int) -> int:
        if at < 0:
            raise TableError(f"expected an offset inside the table, found {at}")
        return int(struct.unpack_from(code, self._content, at)[0])


def sized(identifier: bytes, content: bytes) -> bytes:
    """A flatbuffer, its length in front; ``content`` begins with the list of the root table's fields, at byte 12."""
    (n_bytes,) = struct.unpack_from("<H", content)
    root = 12 + n_bytes + (-n_bytes) % 4
    return struct.pack("<II4s", 8 + len(content), root - 4, identifier) + content


@njit(cache=True, nogil=True)
def number_at(content: NDArray[np.uint8], at: int, n_bytes: int) -> int:
    """A little-endian number of 2 or 4 bytes (unsigned) or 8 (signed); -1 where it does not lie inside."""
    if at < 0 or at + n_bytes > content.size:
        return -1
    number = np.int64(0)
    for i in range(n_bytes):
        number |= np.int64(content[at + i]) << (8 * i)
    return int(number)


@njit(cache=True, nogil=True)
def find_field(content: NDArray[np.uint8], table: int, field: int) -> int:
    """Byte of a field of the table at byte ``table``; -1 where the table lacks it, -2 where there is no table."""
    back = number_at(content, table, 4)
    fields = table - (back - ((back & 0x80000000) << 1))
    n_bytes = number_at(content, fields, 2)
    if back < 0 or n_bytes < 0:
        return -2
    if 4 + 2 * field >= n_bytes:
        return -1
    offset = number_at(content, fields + 4 + 2 * field, 2)
    if offset < 0:
        return -2
    return table + offset if offset else -1


@njit(cache=True, nogil=True)
def find_vector(content: NDArray[np.uint8], identifier: int, n_bytes: int) -> tuple[int, int]:
    """First byte and length of the vector in field 0 of a flatbuffer; (-1, 0) where it is none.

    identifier : its four letters as a number. n_bytes : of one element. Without the field the vector is empty.
    """
    if number_at(content, 4, 4) != identifier:
        return -1, 0
    field = find_field(content, number_at(content, 0, 4), 0)
    if field == -1:
        return 0, 0
    vector = field + number_at(content, field, 4)
    length = number_at(content, vector, 4)
    if field < 0 or vector < field or length < 0 or vector + 4 + length * n_bytes > content.size:
        return -1, 0
    return vector + 4, length

"""As much of the flatbuffer format as AEDAT4 needs: a root table with numbers, text and vectors of records.

The first integers of a flatbuffer say where its table and the table's fields lie; generated classes and their package
would be more code than this.
"""

from __future__ import annotations

import struct

import numpy as np
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
        start, n = self._vector(field)
        return self._content[start : start + n].decode("utf-8", "replace")

    def records(self, field: int, n_bytes: int) -> NDArray[np.uint8]:
        """The bytes of a vector of records of ``n_bytes`` each, read-only."""
        start, n = self._vector(field)
        if start + n * n_bytes > len(self._content):
            raise TableError(f"expected {n} records of {n_bytes} bytes, found fewer")
        return np.frombuffer(self._content, np.uint8, n * n_bytes, start)

    def _vector(self, field: int) -> tuple[int, int]:
        """First byte and length of a vector or string; (0, 0) when it is not there."""
        at = self._find(field)
        if at is None:
            return 0, 0
        start = at + self._read("<I", at)
        return start + 4, self._read("<I", start)

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

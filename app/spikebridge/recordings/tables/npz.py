"""Archives of NumPy arrays: members that are stored are read in place, compressed ones are unpacked to a file first."""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spikebridge.errors import InputError
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.recordings.tables.npy import NpyArray, read_header

_LOCAL = struct.Struct("<4s22xHH")
#: What is unpacked at most, and, of more than a little, how many times what is packed: no events are packed so well.
_MOST_UNPACKED, _LITTLE, _BEST_RATIO = 4 << 30, 64 << 20, 200
#: Unpacked at once, and lost where a checksum is wrong after it.
_AT_ONCE = 1 << 14
#: What ``zipfile`` and the packages of its compressions raise for damaged archives.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, IndexError,
    OverflowError, struct.error, MemoryError, OSError,
)  # fmt: skip


class Archive:
    """The arrays of an NPZ file by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = RecordingFile(path)
        with self._opened() as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = tuple(self._members)
        if not members:
            raise InputError(
                f"expected arrays in the archive {path}, found none; unpack it and name the recording in it."
            )

    def arrays(self, names: tuple[str, ...]) -> list[NpyArray]:
        """These; InputError where they can't be read."""
        members = [self._members[name] for name in names]
        packed = [member for member in members if member.compress_type != zipfile.ZIP_STORED]
        n_unpacked, n_packed = sum(m.file_size for m in packed), sum(m.compress_size for m in packed)
        if n_unpacked > _MOST_UNPACKED or n_unpacked > max(_LITTLE, _BEST_RATIO * n_packed):
            raise InputError(
                f"expected the arrays in {self._path} to unpack to a size that events have, found {n_unpacked:,} bytes "
                f"from {n_packed:,}; save them with numpy.savez, which does not compress."
            )
        return [self._unpacked(member) if member in packed else self._stored(member) for member in members]

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self._path) as archive:
                yield archive
        except _DAMAGE as error:
            raise InputError(
                f"expected {self._path} to be a whole archive of arrays (NPZ), found: {_reason(error)}; copy or save "
                "it again."
            ) from error

    def _stored(self, member: zipfile.ZipInfo) -> NpyArray:
        head = self._file.read(member.header_offset, _LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
            raise InputError(
                f"expected {member.filename} in {self._path}, found other bytes in its place; copy or save it again."
            )
        _, n_name, n_extra = _LOCAL.unpack(head)
        at = member.header_offset + _LOCAL.size + n_name + n_extra
        size = max(0, min(member.file_size, self._file.size - at))
        return read_header(self._file, at, size, self._name(member))

    def _unpacked(self, member: zipfile.ZipInfo) -> NpyArray:
        """What is damaged ends the array there; what was before is kept."""
        damage = ""
        with tempfile.NamedTemporaryFile(prefix="spikebridge-") as target:
            with self._opened() as archive, closing(archive.open(member)) as source:
                while True:
                    try:
                        content = source.read(_AT_ONCE)
                    except _DAMAGE as error:
                        damage = f"{self._name(member)} is damaged ({_reason(error)}); what comes before was kept."
                        break
                    if not content:
                        break
                    self._write(target, content)
            file = RecordingFile(Path(target.name))
        return read_header(file, 0, file.size, self._name(member), damage)

    def _write(self, target: tempfile._TemporaryFileWrapper[bytes], content: bytes) -> None:
        try:
            target.write(content)
            target.flush()
        except OSError as error:
            raise InputError(
                f"expected room in {tempfile.gettempdir()} to unpack {self._path}, found: {error.strerror}; free some, "
                "or save it with numpy.savez."
            ) from error

    def _name(self, member: zipfile.ZipInfo) -> str:
        return f"{member.filename.removesuffix('.npy')!r} of {self._path}"


def _reason(error: Exception) -> str:
    """Some of these sentences hold all of the damaged bytes."""
    return "".join(filter(str.isprintable, str(error)))[:80] or type(error).__name__

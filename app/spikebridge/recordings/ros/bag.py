"""A bag of ROS 1 or ROS 2 as topics and the bytes of their messages. The only file that imports rosbags."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikebridge.errors import InputError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag1 import Reader as Bag1
    from rosbags.rosbag2 import Reader as Bag2
    from rosbags.rosbag2.storage_mcap import McapReader
    from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

_MCAP, _SQLITE = b"\x89MCAP", b"SQLite format 3"
_MCAP_ENDS = b"\x89MCAP0\r\n"


@dataclass(frozen=True, slots=True)
class Topic:
    """kind : its type as ROS 2 writes it, such as ``dvs_msgs/msg/EventArray``."""

    name: str
    kind: str
    messages: int


class Bag:
    """An open bag; InputError where it can't be read as one. Threads take turns. Closed when nobody holds it.

    aligned : messages are in CDR, as ROS 2 has them, and not packed. truncated : its end is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reader, self.aligned = _open(path)
        weakref.finalize(self, _close, self._reader)
        try:
            self._reader.open()
            meta = self._reader if not hasattr(self._reader, "metadata") else self._reader.metadata
            self.start_ns, self.stop_ns = int(meta.start_time), int(meta.end_time)
        except Exception as error:
            raise self.refused(error) from error
        self.topics = _topics(self._reader.connections)
        files = [file for file in path.iterdir() if file.is_file()] if path.is_dir() else [path]
        self.truncated = any(_is_cut(file) for file in files)

    def messages(self, topic: str, start_ns: int, stop_ns: int) -> Iterator[bytes]:
        """Of a topic, logged in ``[start_ns, stop_ns)``; raises whatever the library does where the bag is damaged."""
        chosen = [connection for connection in self._reader.connections if connection.topic == topic]
        with self._lock:
            for _, _, content in self._reader.messages(connections=chosen, start=start_ns, stop=stop_ns):
                yield bytes(content)

    def refused(self, error: Exception) -> InputError:
        """The error as a sentence."""
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return InputError(
            f"expected {self._path} to be a bag of ROS that can be read, found: {reason}; repair it with 'rosbag "
            "reindex' or 'ros2 bag reindex', or copy it again."
        )


def _open(path: Path) -> tuple[Bag1 | Bag2 | McapReader | Sqlite3Reader, bool]:
    try:
        if path.is_dir():
            from rosbags.rosbag2 import Reader

            return Reader(path), True
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
        # By content: the library goes by the name.
        if head.startswith(_MCAP):
            from rosbags.rosbag2.storage_mcap import McapReader

            return McapReader(path), True
        if head.startswith(_SQLITE):
            from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

            return Sqlite3Reader(path), True
        from rosbags.rosbag1 import Reader as Bag1

        return Bag1(path), False
    except OSError as error:
        raise InputError(f"expected to read {path}, found: {error.strerror or error}; check the file.") from error


def _is_cut(file: Path) -> bool:
    """Whether a file of ROS 2 lacks its end: MCAP ends as it begins, SQLite says how many pages of what size it has."""
    with file.open("rb") as content:
        head = content.read(100)
        size = content.seek(0, os.SEEK_END)
        if head.startswith(_MCAP):
            content.seek(-len(_MCAP_ENDS), os.SEEK_END)
            return content.read() != _MCAP_ENDS
    page = int.from_bytes(head[16:18], "big")
    return head.startswith(_SQLITE) and int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page) > size


def _close(reader: Bag1 | Bag2 | McapReader | Sqlite3Reader) -> None:
    with suppress(Exception):  # one that could not be opened can't be closed either
        reader.close()


def _topics(connections: list[Connection]) -> tuple[Topic, ...]:
    counts: dict[tuple[str, str], int] = {}
    for connection in connections:
        key = connection.topic, connection.msgtype
        counts[key] = counts.get(key, 0) + connection.msgcount
    return tuple(Topic(name, kind, n) for (name, kind), n in counts.items())

"""A file that grows while a recording is written, and appears under its name when it is whole."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from spikebridge.files import make_folder, open_whole


class _AbandonedError(Exception):
    """Ends the context of a file that is not to appear."""


class WholeFile:
    """``files.open_whole`` for a writer that is no context. Raises InputError where it can't be written."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._context = ExitStack()
        self.file: BinaryIO = self._context.enter_context(open_whole(path))

    def put(self, content: bytes) -> None:
        """Appends; nothing is left where that fails."""
        try:
            self.file.write(content)
        except OSError as error:
            self.fail(error)

    def fail(self, error: OSError) -> None:
        """Leaves nothing behind and raises the InputError that says why."""
        self._context.__exit__(type(error), error, error.__traceback__)

    def close(self) -> None:
        """Gives the file its name."""
        self._context.close()

    def abort(self) -> None:
        """Leaves nothing behind; does nothing after ``close``."""
        self._context.__exit__(_AbandonedError, _AbandonedError(), None)

"""Label marks from standard input, while something is recorded without a window."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable

from spikebridge.contracts import LABELS

#: For ``--help``.
HOW = "a line on standard input with a label's name or number (1 … 11) marks from then on, an empty line ends the mark"


class MarkLines:
    """Reads what stands on standard input and never waits for it.

    mark : begins a label, or ends it with None. say : hears what was understood.
    """

    def __init__(self, mark: Callable[[str | None], None], say: Callable[[str], None]) -> None:
        self._mark, self._say = mark, say
        self._begun = b""
        try:
            self._fd: int | None = sys.stdin.fileno()
        except (AttributeError, OSError, ValueError):  # none, or not a file
            self._fd = None

    def look(self) -> None:
        """Does what came since the last call."""
        while self._fd is not None and self._is_ours(self._fd) and select.select([self._fd], [], [], 0)[0]:
            content = os.read(self._fd, 4096)
            if not content:
                self._fd = None
            *lines, self._begun = (self._begun + content).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace").strip())

    @staticmethod
    def _is_ours(fd: int) -> bool:
        """In the background of a terminal, reading from it would stop this process."""
        try:
            return not os.isatty(fd) or os.tcgetpgrp(fd) == os.getpgrp()
        except OSError:
            return False

    def _take(self, line: str) -> None:
        if not line:
            self._mark(None)
            self._say("mark ended")
            return
        label = LABELS[int(line) - 1] if line.isdecimal() and 0 < int(line) <= len(LABELS) else line
        if label in LABELS:
            self._mark(label)
            self._say(f"marked: {label}")
        else:
            self._say(f"expected a label ({', '.join(LABELS)}) or its number, found '{line}'; nothing was marked")

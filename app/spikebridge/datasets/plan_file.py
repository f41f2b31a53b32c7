"""What a folder is made with, kept beside it, so that it is never filled in two ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spikebridge.errors import InputError, UsageError
from spikebridge.files import write_whole


def keep_plan(path: Path, plan: dict[str, Any], what: str) -> None:
    """Writes ``plan`` to ``path`` and makes its folder, or finds the same plan there.

    what : the folder's content, for messages: "a set". Raises UsageError when another plan is there, InputError when
    it can't be read or written.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            write_whole(path, json.dumps(plan, indent=1))
            return
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"expected a folder for {what} at {folder}, found: {error}; take another.") from error
    if differing := [key for key in plan if found.get(key) != plan[key]]:
        raise UsageError(
            f"expected {what} made with the same settings in {folder}, found other {', '.join(differing)}; take "
            "another folder."
        )

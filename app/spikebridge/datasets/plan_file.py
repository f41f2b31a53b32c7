"""What a folder is made with, kept in a file in it, so that it is never filled in two ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from spikebridge.errors import InputError, UsageError
from spikebridge.files import write_whole


def keep_plan(path: Path, plan: Mapping[str, object], what: str) -> None:
    """Writes ``plan``, plain numbers and texts, to ``path`` and makes its folder, or finds the same plan there.

    what : what the folder holds, for messages: "a set". Raises UsageError when another plan is there, InputError when
    the file can't be read or written.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            write_whole(path, json.dumps(plan, indent=1))
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"no settings in {path.name}")
    except (OSError, ValueError) as error:
        raise InputError(f"expected a folder for {what} at {folder}, found: {error}; take another.") from error
    if differing := [key for key, value in plan.items() if found.get(key) != value]:
        raise UsageError(
            f"expected {what} made with the same settings in {folder}, found other {', '.join(differing)}; take "
            "another folder."
        )

"""Damaged files in short form; ``make fuzz`` tries a hundred thousand."""

from __future__ import annotations

from pathlib import Path

from fuzz_recordings import fuzz, try_file
from mutation_seeds import seeds


def test_no_damaged_file_of_any_format_is_a_fault(tmp_path: Path) -> None:
    for name, path in seeds(tmp_path):
        assert try_file(path) == "read", name
        outcome, faults = fuzz(path, 60, seed=1)
        assert not faults, f"{name}: {faults[0]}"
        assert outcome.total() == 60

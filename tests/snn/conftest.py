"""Makes the modules beside the tests importable; what was compared, and what was not, is said at the end of the run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

_NOTES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def notes(pytestconfig: pytest.Config) -> list[str]:
    """Lines for the end of the run; those that begin with NOT are shown as warnings."""
    return pytestconfig.stash.setdefault(_NOTES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for note in config.stash.get(_NOTES, []):
        left_out = note.startswith("NOT")
        terminalreporter.write_line(note, yellow=left_out, green=not left_out, bold=left_out)

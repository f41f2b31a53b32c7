"""The error tree. Every message says what was expected, what was found and what to do, in one sentence.

SpikebridgeError            exit code
├── UsageError              2   a wrong argument or combination of arguments
├── InputError              3   a recording or model bundle that cannot be read
│   └── BundleError         3   a model bundle that breaks its contract
├── MissingError            4   hardware, SDK or system library that is not there
├── StageError              5   a stage of the chain failed while running
└── CancelledError              never shown: the user went on to something else
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class SpikebridgeError(Exception):
    """Base of all errors meant for the user; ``str(error)`` is one complete sentence."""

    exit_code: ClassVar[int] = 5


class UsageError(SpikebridgeError):
    """The command line or an argument is wrong."""

    exit_code = 2


class InputError(SpikebridgeError):
    """A file could not be read as what it should be."""

    exit_code = 3


class BundleError(InputError):
    """A model bundle does not keep its contract (hash, shape, labels, file)."""


class MissingError(SpikebridgeError):
    """Hardware, an SDK or a system library is missing; the message says how to get it."""

    exit_code = 4


class StageError(SpikebridgeError):
    """A stage failed while the chain was running; ``stage`` names it. ``restarts``: its ``reset`` starts it anew."""

    exit_code = 5

    def __init__(self, stage: str, message: str, *, restarts: bool = False) -> None:
        super().__init__(message)
        self.stage = stage
        self.restarts = restarts

    def __reduce__(self) -> tuple[Callable[..., StageError], tuple[str, str, bool]]:
        """So that it can be sent to another process."""
        return _stage_error, (self.stage, str(self), self.restarts)


def _stage_error(stage: str, message: str, restarts: bool) -> StageError:
    return StageError(stage, message, restarts=restarts)


class CancelledError(SpikebridgeError):
    """Nobody waits for the result any more; not a failure."""

"""The worker's own error: what Lava lacks, in words for the user."""

from __future__ import annotations


class MissingPartError(Exception):
    """A package, device or permission that Lava needs is not there; the message is for the user."""

"""A clock that stands still."""

from __future__ import annotations


class HandClock:
    """Nanoseconds, moved by hand; call it for the time."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        """Moves it on."""
        self.now_ns += round(seconds * 1e9)

"""What a terminal shows."""

from __future__ import annotations

from rich.console import Console, RenderableType


def lines(part: RenderableType, width: int = 400) -> list[str]:
    """As printed, without the blanks at their ends."""
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(part)
    return [line.rstrip() for line in captured.get().splitlines()]

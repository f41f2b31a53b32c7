"""All keys on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, pairwise

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.items import RIGHT, Item, Words
from spikebridge.ui.painted import PaintedPanel

_COLUMNS = 3
_ROW, _BETWEEN, _KEY = 42, 22, 150


class HelpOverlay(PaintedPanel):
    """Covers the window until a key or a click; ``groups``: (title, ((key, what it does), …)), …"""

    def __init__(self, parent: QWidget, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        super().__init__(parent, theme.BACKGROUND)
        self._groups = groups
        self.hide()

    def compose(self) -> Iterator[Item]:
        margin = self.px(120)
        title = QRectF(margin, self.px(56), self.width() - 2 * margin, self.px(64))
        yield Words(title, "Keys", 44, bold=True)
        yield Words(title, "Esc, H or a click closes this page", 20, theme.MUTED, align=RIGHT)
        width = (self.width() - 2 * margin) / _COLUMNS
        for column, groups in enumerate(self._columns()):
            y: float = self.px(140)
            for name, keys in groups:
                yield from self._compose_group(margin + column * width, y, width - self.px(40), name, keys)
                y += self.px(_ROW) * (1 + len(keys)) + self.px(_BETWEEN)

    def _columns(self) -> Iterator[Sequence[tuple[str, Sequence[tuple[str, str]]]]]:
        """As even as whole groups allow."""
        rows = [len(keys) + 1 for _, keys in self._groups]

        def longest(splits: tuple[int, ...]) -> tuple[int, int]:
            heights = [sum(rows[start:stop]) for start, stop in pairwise((0, *splits, len(rows)))]
            return max(heights), heights.count(0)

        splits = min(combinations_with_replacement(range(len(rows) + 1), _COLUMNS - 1), key=longest)
        for start, stop in pairwise((0, *splits, len(rows))):
            yield self._groups[start:stop]

    def _compose_group(
        self, x: float, y: float, width: float, name: str, keys: Sequence[tuple[str, str]]
    ) -> Iterator[Item]:
        row = self.px(_ROW)
        yield Words(QRectF(x, y, width, row), name, 22, theme.ACCENT, True)
        for key, what in keys:
            y += row
            yield Words(QRectF(x, y, self.px(_KEY), row), key, 20, bold=True)
            yield Words(QRectF(x + self.px(_KEY), y, width - self.px(_KEY), row), what, 20, theme.MUTED)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        self.hide()

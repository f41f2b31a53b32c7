"""What can be read of the painted panels of a window."""

from __future__ import annotations

from itertools import combinations

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter, QPicture
from PyQt6.QtWidgets import QLabel, QWidget

from spikebridge.ui.items import Words
from spikebridge.ui.painted import PaintedPanel
from spikebridge.ui.plot import Plot


def panels(root: QWidget) -> list[PaintedPanel]:
    """All that are seen."""
    return [panel for panel in root.findChildren(PaintedPanel) if panel.isVisible()]


def words(panel: PaintedPanel) -> list[Words]:
    return [item for item in panel.items if isinstance(item, Words) and item.text]


def cut(panel: PaintedPanel) -> list[str]:
    """Texts that are not seen whole: too wide or too high for their place, or outside the panel."""
    found = []
    for item in words(panel):
        extent = item.extent(panel.scale)
        high = extent.height() > item.place.height() + 2
        outside = not QRectF(panel.rect()).adjusted(-1, -1, 1, 1).contains(extent)
        if item.shown(panel.scale) != item.text or high or outside:
            found.append(item.text)
    return found


def overlapping(panel: PaintedPanel) -> list[tuple[str, str]]:
    """Texts that lie over each other by more than the leading of their lines."""
    found = []
    for one, other in combinations(words(panel), 2):
        common = one.extent(panel.scale).intersected(other.extent(panel.scale))
        lower = min(one.extent(panel.scale).height(), other.extent(panel.scale).height())
        if common.width() > 1 and common.height() > 0.25 * lower:
            found.append((one.text, other.text))
    return found


def cut_labels(root: QWidget) -> list[str]:
    """Labels that have less room than their words need."""
    labels = [label for label in root.findChildren(QLabel) if label.isVisible() and not label.wordWrap()]
    return [
        label.text()
        for label in labels
        if label.width() < label.fontMetrics().horizontalAdvance(label.text())
        or label.height() < label.fontMetrics().height()
    ]


def axis_words(chart: Plot) -> dict[str, QRectF]:
    """Words along the axes of a chart, and where they are painted in its plot."""
    assert chart.axes is not None
    found = {}
    for side in ("left", "bottom"):
        axis = chart.axes.widget.getPlotItem().getAxis(side)
        painter = QPainter(picture := QPicture())
        painter.setFont(axis.style["tickFont"])
        _, _, texts = axis.generateDrawSpecs(painter)
        painter.end()
        del picture
        found |= {text: axis.mapRectToScene(place) for place, _, text in texts}
    return found


def cut_axis_words(root: QWidget) -> list[str]:
    """Words of axes that are not seen whole."""
    return [
        words
        for chart in root.findChildren(Plot)
        for words, place in axis_words(chart).items()
        if not QRectF(chart.axes.widget.rect()).contains(place)
    ]

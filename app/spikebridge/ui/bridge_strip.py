"""The bridge strip: camera → Loihi SNN → accumulator → Jetson ANN → decision, live."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen, QPolygonF

from spikebridge.contracts import Energy, StageStatus
from spikebridge.ui import figures, theme
from spikebridge.ui.painted import Align, PaintedPanel

TITLES = {
    "source": "Camera",
    "snn": "Loihi SNN",
    "accumulator": "Accumulator",
    "ann": "Jetson ANN",
    "decision": "Decision",
}
COLOURS = {
    "source": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
#: Points of a sparkline; the strip is fed five times a second, so this is a quarter of a minute.
_HISTORY = 75
_RATE_HISTORIES = ("source", "snn")


class BridgeStrip(PaintedPanel):
    """Five cards and the four links between them."""

    def __init__(self) -> None:
        super().__init__(ground=theme.BACKGROUND)
        self._stages: tuple[StageStatus, ...] = ()
        self._energy: Mapping[str, Energy] = {}
        self._histories: dict[str, deque[float]] = {key: deque(maxlen=_HISTORY) for key in TITLES}
        self.setAccessibleName("Stages of the chain")

    def show_stages(self, stages: tuple[StageStatus, ...], energy: Mapping[str, Energy]) -> None:
        """The newest figures; each call adds a point to the sparklines."""
        self._stages, self._energy = stages, energy
        for stage in stages:
            value = stage.rate_hz if stage.key in _RATE_HISTORIES else stage.latest_us
            self._histories.setdefault(stage.key, deque(maxlen=_HISTORY)).append(value)
        self.update()

    def clear(self) -> None:
        self._stages = ()
        for history in self._histories.values():
            history.clear()
        self.update()

    def paint(self, painter: QPainter) -> None:
        by_key = {stage.key: stage for stage in self._stages}
        link = self.px(92)
        width = (self.width() - link * (len(TITLES) - 1)) / len(TITLES)
        for i, key in enumerate(TITLES):
            left = i * (width + link)
            self._paint_card(painter, QRectF(left, 0, width, self.height()), key, by_key.get(key))
            if i + 1 < len(TITLES):
                self._paint_link(painter, QRectF(left + width, 0, link, self.height()), by_key.get(key))

    def _paint_card(self, painter: QPainter, card: QRectF, key: str, stage: StageStatus | None) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.PANEL)
        painter.drawRoundedRect(card, self.px(theme.RADIUS), self.px(theme.RADIUS))
        painter.setBrush(COLOURS[key])
        painter.drawRoundedRect(QRectF(card.x(), card.y(), card.width(), self.px(5)), self.px(2), self.px(2))
        pad = self.px(16)
        inner = card.adjusted(pad, self.px(12), -pad, -self.px(8))
        row = QRectF(inner.x(), inner.y(), inner.width(), self.px(28))
        self.text(painter, row, TITLES[key], 21, theme.TEXT, True)
        row.translate(0, self.px(26))
        self.text(painter, row, stage.backend if stage else "waiting", 16, theme.MUTED, narrow=True)
        row.translate(0, self.px(26))
        row.setHeight(self.px(40))
        right = Align.AlignRight | Align.AlignVCenter
        half = QRectF(row.x(), row.y(), row.width() * 0.5, row.height())
        self.text(painter, half, figures.milliseconds(stage.latency.p50) if stage else "– ms", 29, theme.TEXT, True)
        value, provenance = figures.power(stage.power_w, stage.power_provenance) if stage else ("– mW", "unavailable")
        half.translate(row.width() * 0.5, 0)
        known = provenance != "unavailable"
        self.text(painter, half, value, 24 if known else 18, theme.TEXT if known else theme.FAINT, known, right)
        row.translate(0, self.px(37))
        row.setHeight(self.px(24))
        rate = figures.rate(stage.rate_hz, stage.rate_unit) if stage else ""
        half = QRectF(row.x(), row.y(), row.width() * 0.62, row.height())
        self.text(painter, half, rate, 17, theme.MUTED)
        half = QRectF(row.x() + row.width() * 0.5, row.y(), row.width() * 0.5, row.height())
        self.text(painter, half, provenance, 16, theme.MUTED if known else theme.FAINT, False, right, True)
        self._paint_foot(painter, QRectF(inner.x(), row.bottom(), inner.width(), inner.bottom() - row.bottom()), key)

    def _paint_foot(self, painter: QPainter, rect: QRectF, key: str) -> None:
        energy = self._energy.get(key)
        words = figures.energy(energy) if energy else ""
        if words:
            line = QRectF(rect.x(), rect.y(), rect.width(), self.px(20))
            self.text(painter, line, words, 14, theme.MUTED, narrow=True)
        self._paint_sparkline(painter, rect.adjusted(0, self.px(22), 0, 0), key)

    def _paint_sparkline(self, painter: QPainter, rect: QRectF, key: str) -> None:
        history = self._histories[key]
        what = "rate" if key in _RATE_HISTORIES else "ms"
        caption = QRectF(rect.right() - self.px(40), rect.y(), self.px(40), rect.height())
        self.text(painter, caption, what, 13, theme.FAINT, align=Align.AlignRight | Align.AlignBottom)
        rect = rect.adjusted(0, self.px(2), -self.px(40), -self.px(2))
        if len(history) < 2 or rect.height() < 4:
            return
        top = max(history) or 1.0
        step = rect.width() / (_HISTORY - 1)
        start = rect.right() - step * (len(history) - 1)
        line = [QPointF(start + i * step, rect.bottom() - rect.height() * v / top) for i, v in enumerate(history)]
        ground = COLOURS[key].toRgb()
        ground.setAlpha(60)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawPolygon(QPolygonF([QPointF(start, rect.bottom()), *line, rect.bottomRight()]))
        painter.setPen(QPen(COLOURS[key], 1))
        painter.drawPolyline(QPolygonF(line))

    def _paint_link(self, painter: QPainter, rect: QRectF, stage: StageStatus | None) -> None:
        y = rect.center().y()
        gap, head = self.px(8), self.px(11)
        start, tip = QPointF(rect.left() + gap, y), QPointF(rect.right() - gap, y)
        painter.setPen(QPen(theme.MUTED, max(2, self.px(3))))
        painter.drawLine(start, QPointF(tip.x() - head, y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.MUTED)
        painter.drawPolygon(
            QPolygonF([tip, QPointF(tip.x() - head, y - head * 0.7), QPointF(tip.x() - head, y + head * 0.7)])
        )
        words = figures.byte_rate(stage.bytes_per_s) if stage else ""
        value, _, unit = words.rpartition(" ")
        line = QRectF(rect.x(), y - self.px(40), rect.width(), self.px(28))
        self.text(painter, line, value, 19, theme.TEXT, True, Align.AlignCenter, True)
        line.translate(0, self.px(50))
        self.text(painter, line, unit, 15, theme.MUTED, align=Align.AlignCenter)

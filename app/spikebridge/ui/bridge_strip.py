"""The bridge strip: camera → SNN → accumulator → ANN → decision, live, each named after what runs."""

from __future__ import annotations

from collections import deque

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from spikebridge.snapshot import StageCard
from spikebridge.stages import CARDS, CardKey
from spikebridge.ui import figures, theme
from spikebridge.ui.painted import Align, PaintedPanel

COLOURS: dict[CardKey, QColor] = {
    "source": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
#: Points of a sparkline; the strip is fed five times a second, so this is a quarter of a minute.
_HISTORY = 75
_RATE_HISTORIES: tuple[CardKey, ...] = ("source", "snn")


class BridgeStrip(PaintedPanel):
    """Five cards and the four links between them."""

    def __init__(self) -> None:
        super().__init__(ground=theme.BACKGROUND)
        self._cards: dict[CardKey, StageCard] = {}
        self._histories: dict[CardKey, deque[float]] = {key: deque(maxlen=_HISTORY) for key in CARDS}
        self.setAccessibleName("Stages of the chain")

    def show_cards(self, cards: tuple[StageCard, ...]) -> None:
        """The newest figures; each call adds a point to the sparklines."""
        self._cards = {card.key: card for card in cards}
        for card in cards:
            value = card.rate_hz if card.key in _RATE_HISTORIES else card.latency.newest_us
            self._histories[card.key].append(value)
        self.update()

    def clear(self) -> None:
        self._cards = {}
        for history in self._histories.values():
            history.clear()
        self.update()

    def paint(self, painter: QPainter) -> None:
        link = self.px(92)
        width = (self.width() - link * (len(CARDS) - 1)) / len(CARDS)
        for i, key in enumerate(CARDS):
            left = i * (width + link)
            self._paint_card(painter, QRectF(left, 0, width, self.height()), key, self._cards.get(key))
            if i + 1 < len(CARDS):
                self._paint_link(painter, QRectF(left + width, 0, link, self.height()), self._cards.get(key))

    def _paint_card(self, painter: QPainter, rect: QRectF, key: CardKey, card: StageCard | None) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.PANEL)
        painter.drawRoundedRect(rect, self.px(theme.RADIUS), self.px(theme.RADIUS))
        painter.setBrush(COLOURS[key])
        painter.drawRoundedRect(QRectF(rect.x(), rect.y(), rect.width(), self.px(5)), self.px(2), self.px(2))
        pad = self.px(16)
        inner = rect.adjusted(pad, self.px(12), -pad, -self.px(8))
        row = QRectF(inner.x(), inner.y(), inner.width(), self.px(28))
        self.text(painter, row, card.title if card else key, 20, theme.TEXT, True, narrow=True)
        row.translate(0, self.px(26))
        self.text(painter, row, card.role if card else "waiting", 16, theme.MUTED, narrow=True)
        row.translate(0, self.px(26))
        row.setHeight(self.px(40))
        self._paint_figures(painter, row, card)
        row.translate(0, self.px(61))
        self._paint_foot(painter, QRectF(inner.x(), row.y(), inner.width(), inner.bottom() - row.y()), key, card)

    def _paint_figures(self, painter: QPainter, row: QRectF, card: StageCard | None) -> None:
        """Time and power in large, rate and provenance small beneath."""
        right = Align.AlignRight | Align.AlignVCenter
        half = QRectF(row.x(), row.y(), row.width() * 0.5, row.height())
        latency = figures.milliseconds(card.latency.recent.p50) if card else "– ms"
        self.text(painter, half, latency, 29, theme.TEXT, True)
        value, provenance = figures.power(card.power_w, card.power_provenance) if card else ("– mW", "unavailable")
        half.translate(row.width() * 0.5, 0)
        known = provenance != "unavailable"
        self.text(painter, half, value, 24 if known else 18, theme.TEXT if known else theme.FAINT, known, right)
        y, height = row.y() + self.px(37), self.px(24)
        rate = figures.rate(card.rate_hz, card.rate_unit) if card else ""
        self.text(painter, QRectF(row.x(), y, row.width() * 0.62, height), rate, 17, theme.MUTED)
        half = QRectF(row.x() + row.width() * 0.5, y, row.width() * 0.5, height)
        self.text(painter, half, provenance, 16, theme.MUTED if known else theme.FAINT, False, right, True)

    def _paint_foot(self, painter: QPainter, rect: QRectF, key: CardKey, card: StageCard | None) -> None:
        words = figures.energy(card.energy) if card else ""
        if words:
            line = QRectF(rect.x(), rect.y(), rect.width(), self.px(20))
            self.text(painter, line, words, 14, theme.MUTED, narrow=True)
        self._paint_sparkline(painter, rect.adjusted(0, self.px(22), 0, 0), key)

    def _paint_sparkline(self, painter: QPainter, rect: QRectF, key: CardKey) -> None:
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

    def _paint_link(self, painter: QPainter, rect: QRectF, card: StageCard | None) -> None:
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
        words = figures.byte_rate(card.bytes_per_s) if card else ""
        value, _, unit = words.rpartition(" ")
        line = QRectF(rect.x(), y - self.px(40), rect.width(), self.px(28))
        self.text(painter, line, value, 19, theme.TEXT, True, Align.AlignCenter, True)
        line.translate(0, self.px(50))
        self.text(painter, line, unit, 15, theme.MUTED, align=Align.AlignCenter)

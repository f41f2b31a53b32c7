"""The bridge strip: camera → SNN → accumulator → ANN → decision, live, each named after what runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PyQt6.QtCore import QEvent, QRectF
from PyQt6.QtGui import QColor, QHelpEvent, QImage
from PyQt6.QtWidgets import QToolTip

from spikebridge.contracts import Energy
from spikebridge.snapshot import StageCard
from spikebridge.stages import CARDS, CardKey
from spikebridge.ui import figures, theme
from spikebridge.ui.history import RATE_CARDS
from spikebridge.ui.items import CENTRE, RIGHT, Box, Image, Item, Line, Pointer, Words
from spikebridge.ui.lettering import Face, fitted_size, text_height, wrapped
from spikebridge.ui.painted import PaintedPanel
from spikebridge.ui.sparklines import draw_sparklines

COLOURS: dict[CardKey, QColor] = {
    "source": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
#: While nothing runs.
_TITLES: dict[CardKey, str] = {
    "source": "Source",
    "snn": "SNN",
    "accumulator": "Accumulator",
    "ann": "ANN",
    "decision": "Decision",
}
#: Height of a sparkline and size of the type of energies, px of the reference screen.
_SPARK, _FOOT = 22, 14
#: Width of an arrow between two cards.
_LINK = 92
_SMALLEST_TITLE = 15


class BridgeStrip(PaintedPanel):
    """Five cards and the four links between them."""

    def __init__(self) -> None:
        super().__init__(ground=theme.BACKGROUND)
        self._cards: dict[CardKey, StageCard] = {}
        self._sparks: Mapping[CardKey, Sequence[float]] = {}
        #: Low leaves out the sparklines and static energy.
        self.low = False
        #: Of the camera: driver, connection, settings; shown where the pointer rests on its card.
        self.details: tuple[str, ...] = ()
        self.setAccessibleName("Stages of the chain")

    def show_cards(self, cards: tuple[StageCard, ...], sparks: Mapping[CardKey, Sequence[float]]) -> None:
        """The newest figures, and what the sparklines look back on."""
        self._cards = {card.key: card for card in cards}
        self._sparks = sparks
        self.refresh()

    def clear(self) -> None:
        self.details = ()
        self.show_cards((), {})

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().x()), self)
            return True
        return super().event(event)

    def tip_at(self, x: int) -> str:
        """What is told beside the pointer: of the camera on its card, else nothing."""
        return "\n".join(self.details) if x < self._card_width() else ""

    def _card_width(self) -> float:
        return (self.width() - self.px(_LINK) * (len(CARDS) - 1)) / len(CARDS)

    def compose(self) -> Iterator[Item]:
        link, rows = self.px(_LINK), self.px(_SPARK)
        histories = [self._sparks.get(key, ()) for key in CARDS]
        images = [QImage()] * len(CARDS)
        if not self.low and rows > 0:
            images = draw_sparklines(histories, [COLOURS[key] for key in CARDS], theme.PANEL, rows)
        width = self._card_width()
        for i, key in enumerate(CARDS):
            left = i * (width + link)
            yield from self._compose_card(QRectF(left, 0, width, self.height()), key, images[i])
            if i + 1 < len(CARDS):
                yield from self._compose_link(QRectF(left + width, 0, link, self.height()), self._cards.get(key))

    def _compose_card(self, place: QRectF, key: CardKey, sparkline: QImage) -> Iterator[Item]:
        card = self._cards.get(key)
        yield Box(place, theme.PANEL, self.px(theme.RADIUS))
        yield Box(QRectF(place.x(), place.y(), place.width(), self.px(5)), COLOURS[key], self.px(2))
        pad = self.px(16)
        inner = place.adjusted(pad, self.px(12), -pad, -self.px(10))
        high = self.px(24 if self.low else 26)
        row = QRectF(inner.x(), inner.y(), inner.width(), high)
        title = card.title if card else _TITLES[key]
        size = max(_SMALLEST_TITLE, fitted_size(title, int(row.width()), Face(self.px(20), True, True)) / self.scale)
        yield Words(row, title, size, bold=True, narrow=True)
        row = row.translated(0, high)
        yield Words(row, card.role if card else "waiting", 16, theme.MUTED, narrow=True)
        row = QRectF(inner.x(), row.bottom(), inner.width(), self.px(61))
        yield from self._compose_figures(row, card)
        foot = QRectF(inner.x(), row.bottom(), inner.width(), inner.bottom() - row.bottom())
        spark = 0 if self.low else self.px(_SPARK)
        if card is not None:
            yield from self._compose_energy(foot.adjusted(0, 0, 0, -spark), card.energy)
        if not self.low:
            caption = QRectF(foot.right() - self.px(40), foot.bottom() - self.px(20), self.px(40), self.px(20))
            yield Words(caption, "rate" if key in RATE_CARDS else "ms", 14, theme.FAINT, align=RIGHT)
            yield Image(QRectF(foot.x(), foot.bottom() - spark, foot.width() - self.px(44), spark), sparkline)

    def _compose_energy(self, place: QRectF, energy: Energy) -> Iterator[Item]:
        """Static energy and its origin only together, where there is room for both; a low strip stands under the
        table, which has them."""
        face, room = Face(self.px(_FOOT), narrow=True), int(place.width())
        height = max(self.px(18), text_height(face))
        lines = wrapped(figures.energy(energy), face, room)
        static = () if self.low else wrapped(tuple(figures.static_energy(energy).split(" ")), face, room)
        if (len(lines) + len(static)) * height <= place.height() + 2:
            lines += static
        for n, words in enumerate(lines):
            line = QRectF(place.x(), place.y() + n * height, place.width(), height)
            yield Words(line, words, _FOOT, theme.MUTED, narrow=True)

    def _compose_figures(self, place: QRectF, card: StageCard | None) -> Iterator[Item]:
        """Time and power in large, rate and provenance small beneath."""
        high = self.px(38)
        left = QRectF(place.x(), place.y(), place.width() * 0.5, high)
        right = left.translated(left.width(), 0)
        measured = card is not None and card.latency.recent.n > 0
        yield Words(left, figures.milliseconds(card.latency.recent.p50) if card and measured else "– ms", 29, bold=True)
        value, provenance = figures.power(card.power_w, card.power_provenance) if card else ("– mW", "unavailable")
        known = provenance != "unavailable"
        colour = theme.TEXT if known else theme.FAINT
        yield Words(right, value, 24 if known else 18, colour, known, RIGHT)
        beneath = QRectF(place.x(), place.y() + high, place.width(), place.height() - high)
        rate = figures.rate(card.rate_hz, card.rate_unit) if card else ""
        yield Words(beneath.adjusted(0, 0, -place.width() * 0.36, 0), rate, 17, theme.MUTED, narrow=True)
        colour = theme.MUTED if known else theme.FAINT
        yield Words(beneath.adjusted(place.width() * 0.64, 0, 0, 0), provenance, 16, colour, False, RIGHT, True)

    def _compose_link(self, place: QRectF, card: StageCard | None) -> Iterator[Item]:
        y, gap, head = place.center().y(), self.px(8), self.px(11)
        thick = max(2, self.px(3))
        tip = place.right() - gap
        yield Line(QRectF(place.left() + gap, y - thick / 2, tip - head - place.left() - gap, thick), theme.MUTED)
        yield Pointer(QRectF(tip - head, y - head * 0.7, head, head * 1.4), theme.MUTED)
        value, _, unit = figures.byte_rate(card.bytes_per_s if card else None).rpartition(" ")
        line = QRectF(place.x(), y - self.px(38), place.width(), self.px(26))
        yield Words(line, value, 19, theme.TEXT, True, CENTRE, True)
        line = QRectF(place.x(), y + self.px(12), place.width(), self.px(22))
        yield Words(line, unit, 15, theme.MUTED, align=CENTRE)

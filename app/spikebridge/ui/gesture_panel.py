"""The gesture: its name very large, its picture, and how sure the chain is."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QRectF

from spikebridge.contracts import LABELS
from spikebridge.snapshot import LaneSnapshot
from spikebridge.ui import theme
from spikebridge.ui.figures import label_text
from spikebridge.ui.items import CENTRE, LEFT, RIGHT, Icon, Item, Words
from spikebridge.ui.lettering import Face, fitted_size, text_width
from spikebridge.ui.painted import PaintedPanel

_LARGEST_PX = 84
#: Height of a line of the name, in sizes of its type.
_LEADING = 1.16
#: px of the reference screen.
_WIDE = 560
#: What stands there until the first decision, by the state of the lane.
_WAITING: dict[str, tuple[str, ...]] = {
    "failed": ("⚠ Failed",),
    "ended": ("Ended", "before the", "first decision"),
}
_STARTING = ("Starting", "waiting for", "the first decision")


class GesturePanel(PaintedPanel):
    """One decision, readable from three metres. Places and sizes are the same for every gesture.

    small : for one of several columns, the picture beside the name instead of above it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.small = False
        self._labels: tuple[str, ...] = LABELS
        self._label: str | None = None
        self._confidence: float | None = None
        self._waiting: tuple[str, ...] = _STARTING
        self._likeliest = ""
        self._settled = True
        self._threshold = 0.0
        self.setAccessibleName("Recognised gesture")

    @property
    def said(self) -> str:
        """What the panel says, for tests and screen readers."""
        return " ".join(self._waiting) if self._confidence is None else label_text(self._label)

    def wait(self, title: str, *why: str) -> None:
        """What stands there until the first decision."""
        self._waiting = (title, *why)
        self._label, self._confidence = None, None
        self._tell()

    def show_lane(self, lane: LaneSnapshot) -> None:
        """The newest decision of a lane, or why there is none."""
        decision, self._labels, self._threshold = lane.decision, lane.model.labels, lane.threshold
        if decision is None or lane.state == "failed":
            starting = ("Starting", *halves(lane.starting)) if lane.starting else _STARTING
            self.wait(*_WAITING.get(lane.state, starting))
            return
        best = int(decision.probabilities.argmax())
        self._label = decision.label
        self._confidence = float(decision.probabilities[best if decision.index is None else decision.index])
        self._likeliest = self._labels[best]
        self._settled = decision.settled
        self._tell()

    def _tell(self) -> None:
        if self.accessibleDescription() != self.said:
            self.setAccessibleDescription(self.said)
        self.refresh()

    def compose(self) -> Iterator[Item]:
        yield from self._compose_small() if self.small else self._compose_large()

    # ------------------------------------------------ one network: the picture above the name

    def _compose_large(self) -> Iterator[Item]:
        pad = self.px(24)
        width, height = self.width() - 2 * pad, self.height() - 2 * pad
        size = self._name_size(width, self.px(_LARGEST_PX))
        line = size * _LEADING
        icon = max(1, int(min(width * 0.5, height - 2 * line - self.px(12))))
        yield self._icon(pad, pad, icon)
        yield from self._compose_why(QRectF(pad + icon + self.px(12), pad, width - icon - self.px(12), icon))
        lines = self._lines(width, size)
        top = self.height() - pad - (2 + len(lines)) / 2 * line
        for i in range(2):
            words = lines[i] if i < len(lines) else ""
            yield self._name(QRectF(pad, top + i * line, width, line), words, size)

    def _compose_why(self, place: QRectF) -> Iterator[Item]:
        """Right of the picture: a large figure, or in a calm tone why there is none."""
        if self._confidence is None:
            lines = [(words, 22.0, False) for words in self._waiting[1:]]
        elif self._label is not None:
            largest = fitted_size("100%", int(place.width()), Face(self.px(88), True, True)) / self.scale
            lines = [(f"{self._confidence:.0%}", largest, True), ("confidence", 22.0, False)]
        else:
            halved = self._lines_of(label_text(self._likeliest).lower(), place.width(), self.px(25))
            likeliest = [(line, 25.0, True) for line in halved]
            lines = [("most likely", 20.0, False), *likeliest, *((words, 20.0, False) for words in self._why_none())]
        y = place.center().y() - sum(self.px(size * 1.3) for _, size, _ in lines) / 2
        for words, size, strong in lines:
            height = self.px(size * 1.3)
            colour = theme.TEXT if strong and self._label is not None else theme.MUTED
            yield Words(QRectF(place.x(), y, place.width(), height), words, size, colour, strong, CENTRE, True)
            y += height

    # ------------------------------------------------ one of several: the picture beside it

    def _compose_small(self) -> Iterator[Item]:
        pad, known = self.px(14), self._label is not None
        icon = max(1, min(self.height() - 2 * self.px(8), int(self.width() * 0.3)))
        yield self._icon(pad, (self.height() - icon) // 2, icon)
        place = QRectF(pad + icon + pad, 0, self.width() - icon - 3 * pad, self.height())
        # In a wide column the confidence stands beside the name, in a narrow one below it.
        beside = self.width() >= self.px(_WIDE)
        figure = text_width("100%", Face(self.px(46), True, True)) + self.px(12)
        small = self.px(34 if known else 22)
        width = place.width() - figure if beside else place.width()
        below = 0 if beside else self.px(34)
        size = self._name_size(width, int((place.height() - below - self.px(6)) / 2 / _LEADING))
        lines, rest = self._lines(width, size), self._small_rest()
        confidence = rest[0] if known and beside else ""
        yield Words(place, confidence, 46, bold=True, align=RIGHT, narrow=True)
        under = () if confidence else rest
        line = size * _LEADING
        top = (place.height() - line * len(lines) - small * len(under)) / 2
        for i in range(2):
            words = lines[i] if i < len(lines) else ""
            yield self._name(QRectF(place.x(), top + i * line, width, line), words, size)
        top += line * len(lines)
        for i in range(2):
            words = under[i] if i < len(under) else ""
            row = QRectF(place.x(), top + i * small, width, small)
            yield Words(row, words, 28 if known else 16, theme.TEXT if known else theme.MUTED, known, LEFT, True)

    def _small_rest(self) -> tuple[str, ...]:
        if self._confidence is None:
            return (" ".join(self._waiting[1:]),) if len(self._waiting) > 1 else ()
        if self._label is not None:
            return (f"{self._confidence:.0%}",)
        return (
            f"most likely {label_text(self._likeliest).lower()}",
            " ".join(self._why_none()),
        )

    def _why_none(self) -> tuple[str, str]:
        """Why the likeliest gesture is not named."""
        if not self._settled:
            return f"{self._confidence:.0%}, but no whole", "window was seen yet"
        return f"{self._confidence:.0%}, below the", f"threshold of {self._threshold:.0%}"

    # ------------------------------------------------ parts

    def _icon(self, x: float, y: float, size: int) -> Item:
        known = self._label is not None
        return Icon(QRectF(x, y, size, size), self._label or "none", theme.ACCENT if known else theme.FAINT)

    def _name(self, place: QRectF, words: str, size: float) -> Item:
        ink = theme.TEXT if self._label is not None else theme.ALARM if words.startswith("⚠") else theme.MUTED
        return Words(place, words, size / self.scale, ink, True, LEFT, True)

    def _name_size(self, width: float, largest_px: int) -> int:
        """One size for all gestures: that at which the longest line of any label fits."""
        longest = max((half for label in self._labels for half in halves(label_text(label))), key=len, default="")
        return fitted_size(longest, int(width), Face(largest_px, True, True))

    def _lines(self, width: float, size: int) -> tuple[str, ...]:
        words = self._waiting[0] if self._confidence is None else label_text(self._label)
        return self._lines_of(words, width, size)

    def _lines_of(self, words: str, width: float, size_px: int) -> tuple[str, ...]:
        """On one line where they fit, else on two."""
        return (words,) if text_width(words, Face(size_px, True, True)) <= width else halves(words)


def halves(words: str) -> tuple[str, ...]:
    """On two lines, as even as the words allow: ``Left arm``, ``counter-clockwise``; one word stays whole."""
    parts = words.split(" ")
    splits = [(" ".join(parts[:i]), " ".join(parts[i:])) for i in range(1, len(parts))]
    return min(splits, key=lambda lines: (max(map(len, lines)), -len(lines[0])), default=(words,))

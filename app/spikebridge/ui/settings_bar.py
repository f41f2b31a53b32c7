"""Threshold and smoothing of the decision, visible and adjustable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

THRESHOLD_STEP = 0.05
#: Smoothing times that the buttons and keys step through, µs.
SMOOTHINGS_US = (0, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000, 750_000, 1_000_000, 2_000_000)


def next_threshold(value: float, direction: int) -> float:
    return min(1.0, max(0.0, round(round(value / THRESHOLD_STEP + direction) * THRESHOLD_STEP, 4)))


def next_smoothing_us(value_us: int, direction: int) -> int:
    """The neighbouring step, also from a value between two steps."""
    if direction > 0:
        return next((step for step in SMOOTHINGS_US if step > value_us), SMOOTHINGS_US[-1])
    return next((step for step in reversed(SMOOTHINGS_US) if step < value_us), SMOOTHINGS_US[0])


class Stepper(QWidget):
    """A name, a value and two buttons; the value's place does not move."""

    stepped = pyqtSignal(int)

    def __init__(self, name: str, widest: str, keys: str) -> None:
        super().__init__()
        self._widest = widest
        title = QLabel(name)
        title.setProperty("muted", True)
        self._value = QLabel("–")
        self._value.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        lower, higher = keys.split()
        self._buttons = (
            self._button("−", -1, f"Lower the {name.lower()} ({lower})"),
            self._button("+", 1, f"Raise the {name.lower()} ({higher})"),
        )
        for widget in (title, self._buttons[0], self._value, self._buttons[1]):
            layout.addWidget(widget)

    def _button(self, text: str, direction: int, hint: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(hint)
        button.setAccessibleName(hint)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAutoRepeat(True)
        emit: Callable[[], None] = lambda: self.stepped.emit(direction)  # noqa: E731
        button.clicked.connect(emit)
        return button

    def set_text(self, text: str) -> None:
        self._value.setText(text)

    def text(self) -> str:
        return self._value.text()

    def set_scale(self, scale: float) -> None:
        self._value.ensurePolished()
        for button in self._buttons:
            button.setFixedWidth(round(40 * scale))
        layout = self.layout()
        if layout is not None:
            layout.setSpacing(round(6 * scale))
        self._value.setFixedWidth(self._value.fontMetrics().horizontalAdvance(self._widest) + round(12 * scale))


class SettingsBar(QWidget):
    """Two steppers under the bars, behind the name of the network that they are of where there are several."""

    threshold_stepped = pyqtSignal(int)
    smoothing_stepped = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self._whose = QLabel()
        self._names: Sequence[str] = ()
        self.threshold = Stepper("Threshold", "100 %", "[ ]")
        self.smoothing = Stepper("Smoothing", "2000 ms", "{ }")
        self.threshold.stepped.connect(self.threshold_stepped)
        self.smoothing.stepped.connect(self.smoothing_stepped)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self._whose)
        self._layout.addWidget(self.threshold)
        self._layout.addStretch(1)
        self._layout.addWidget(self.smoothing)

    def make_room(self, names: Sequence[str]) -> None:
        """For any of the names of several networks, so that nothing moves when another is chosen; none for one."""
        self._names = names
        self._whose.ensurePolished()
        widths = [self._whose.fontMetrics().horizontalAdvance(name) for name in names]
        self._whose.setFixedWidth(max(widths, default=0) + 2)
        self._whose.setVisible(bool(names))

    def show_values(self, threshold: float, smoothing_us: int, whose: str = "") -> None:
        """whose : name of the network, where there are several."""
        self._whose.setText(whose)
        self.threshold.set_text(f"{threshold:.0%}")
        self.smoothing.set_text(f"{smoothing_us / 1000:.0f} ms")

    def set_scale(self, scale: float) -> None:
        self._layout.setSpacing(round(14 * scale))
        self.make_room(self._names)
        self.threshold.set_scale(scale)
        self.smoothing.set_scale(scale)

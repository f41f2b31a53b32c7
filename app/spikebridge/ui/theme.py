"""Colours, type and spacing. Sizes are px on a screen of 1920×1080 and grow with the window."""

from __future__ import annotations

from functools import lru_cache

from PyQt6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette

BACKGROUND = QColor("#0b0e13")
PANEL = QColor("#141a23")
RAISED = QColor("#1f2836")
LINE = QColor("#2c3748")
TEXT = QColor("#f3f6fa")
MUTED = QColor("#a9b5c5")
FAINT = QColor("#77859a")

#: Okabe and Ito's colours, told apart by people of every colour vision.
ORANGE = QColor("#e69f00")
SKY = QColor("#56b4e9")
GREEN = QColor("#009e73")
YELLOW = QColor("#f0e442")
BLUE = QColor("#0072b2")
VERMILLION = QColor("#d55e00")
PURPLE = QColor("#cc79a7")
#: Vermillion is too dark for small text on the panels; this is the same hue, lighter.
ALARM = QColor("#ff8a4c")

ACCENT = SKY
SERIES = (SKY, ORANGE, GREEN, PURPLE, YELLOW, VERMILLION, BLUE)

UNIT = 8
#: Of type, px of any screen.
SMALLEST_PX = 9
RADIUS = 10

REFERENCE_WIDTH, REFERENCE_HEIGHT = 1920, 1080
_SMALLEST, _LARGEST = 0.5, 4.0
_FAMILIES = ("Noto Sans", "Open Sans", "Ubuntu", "Segoe UI", "Helvetica Neue", "Roboto", "DejaVu Sans")
_NARROW = (
    "Noto Sans Condensed",
    "Open Sans Condensed",
    "Ubuntu Condensed",
    "Roboto Condensed",
    "DejaVu Sans Condensed",
)


def scale_for(width: int, height: int) -> float:
    """How much larger than on 1920×1080 everything is drawn in a window of this size (logical px)."""
    return min(_LARGEST, max(_SMALLEST, min(width / REFERENCE_WIDTH, height / REFERENCE_HEIGHT)))


@lru_cache(maxsize=2)
def family(narrow: bool = False) -> str:
    """The first installed family of a list whose digits are all of one width, so that figures do not dance."""
    installed = set(QFontDatabase.families())
    preferred = _NARROW + _FAMILIES if narrow else _FAMILIES
    for name in preferred:
        if name in installed and has_tabular_digits(name):
            return name
    return QFont().family()


def has_tabular_digits(name: str) -> bool:
    font = QFont(name)
    font.setPixelSize(64)
    metrics = QFontMetricsF(font)
    return len({round(metrics.horizontalAdvance(digit), 3) for digit in "0123456789"}) == 1


@lru_cache(maxsize=256)
def font(size_px: int, bold: bool = False, narrow: bool = False) -> QFont:
    result = QFont(family(narrow))
    result.setPixelSize(max(SMALLEST_PX, size_px))
    result.setWeight(QFont.Weight.Bold if bold else QFont.Weight.Normal)
    return result


def palette() -> QPalette:
    """For what no style sheet reaches, such as the dialog for files."""
    role, colours = QPalette.ColorRole, QPalette()
    for roles, colour in (
        ((role.Window, role.AlternateBase), BACKGROUND),
        ((role.Base, role.ToolTipBase), PANEL),
        ((role.Button, role.Mid), RAISED),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText), TEXT),
        ((role.PlaceholderText,), MUTED),
        ((role.Highlight, role.Link), ACCENT),
        ((role.HighlightedText,), BACKGROUND),
    ):
        for each in roles:
            colours.setColor(each, colour)
    for each in (role.WindowText, role.Text, role.ButtonText):
        colours.setColor(QPalette.ColorGroup.Disabled, each, FAINT)
    return colours


@lru_cache(maxsize=8)
def style_sheet(scale: float) -> str:
    """For the ordinary widgets; painted ones take their sizes themselves."""
    text = max(11, round(18 * scale))
    pad = max(3, round(6 * scale))
    radius = max(3, round(6 * scale))
    groove = max(4, round(6 * scale))
    handle = max(12, round(18 * scale))
    return f"""
    QWidget {{ color: {TEXT.name()}; font-family: "{family()}"; font-size: {text}px; }}
    QMainWindow, QDialog {{ background: {BACKGROUND.name()}; }}
    QLabel {{ background: transparent; }}
    QLabel[muted="true"] {{ color: {MUTED.name()}; }}
    QPushButton, QToolButton, QComboBox {{ background: {RAISED.name()}; border: 1px solid {LINE.name()};
        border-radius: {radius}px; padding: {pad}px {pad * 2}px; }}
    QComboBox::drop-down {{ border: none; }}
    QComboBox QAbstractItemView {{ background: {PANEL.name()}; border: 1px solid {LINE.name()};
        selection-background-color: {RAISED.name()}; selection-color: {TEXT.name()}; outline: none; }}
    QPushButton:hover, QToolButton:hover, QComboBox:hover {{ border-color: {MUTED.name()}; }}
    QPushButton:focus, QToolButton:focus, QComboBox:focus {{ border: 2px solid {ACCENT.name()}; }}
    QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {LINE.name()}; }}
    QToolButton:checked {{ border-color: {ACCENT.name()}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {FAINT.name()}; }}
    QToolButton::menu-indicator {{ image: none; width: 0; }}
    QFileDialog QToolButton {{ padding: 2px; }}
    QHeaderView::section {{ background: {RAISED.name()}; border: none; padding: {pad}px; }}
    QMenu {{ background: {PANEL.name()}; border: 1px solid {LINE.name()}; padding: {pad}px; }}
    QMenu::item {{ padding: {pad}px {pad * 4}px; border-radius: {radius}px; }}
    QMenu::item:selected {{ background: {RAISED.name()}; }}
    QMenu::item:disabled {{ color: {FAINT.name()}; }}
    QMenu::separator {{ height: 1px; background: {LINE.name()}; margin: {pad}px; }}
    QSlider::groove:horizontal {{ height: {groove}px; background: {LINE.name()}; border-radius: {groove // 2}px; }}
    QSlider::sub-page:horizontal {{ background: {ACCENT.name()}; border-radius: {groove // 2}px; }}
    QSlider::handle:horizontal {{ width: {handle}px; height: {handle}px; background: {TEXT.name()};
        margin: -{(handle - groove) // 2}px 0; border-radius: {handle // 2}px; }}
    QSlider::handle:horizontal:focus {{ background: {ACCENT.name()}; }}
    QToolTip {{ background: {RAISED.name()}; color: {TEXT.name()}; border: 1px solid {LINE.name()}; }}
    """

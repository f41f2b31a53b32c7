from __future__ import annotations

import pytest
from PyQt6.QtGui import QColor, QPalette

from spikebridge.ui import theme


def luminance(colour: QColor) -> float:
    """Relative, of WCAG 2."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_by_hand():
    assert contrast(QColor("white"), QColor("black")) == pytest.approx(21)
    assert contrast(QColor("red"), QColor("white")) == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize(
    ("words", "ground"),
    [
        ("WindowText", "Window"),
        ("Text", "Base"),
        ("Text", "AlternateBase"),
        ("ButtonText", "Button"),
        ("HighlightedText", "Highlight"),
        ("ToolTipText", "ToolTipBase"),
        ("PlaceholderText", "Base"),
    ],
)
def test_dialogs_can_be_read(application, words, ground):
    palette = theme.palette()
    of = QPalette.ColorRole
    assert contrast(palette.color(of[words]), palette.color(of[ground])) >= 4.5


@pytest.mark.parametrize("words", [theme.TEXT, theme.MUTED, theme.ALARM, theme.YELLOW, theme.SKY], ids=QColor.name)
@pytest.mark.parametrize("ground", [theme.BACKGROUND, theme.PANEL], ids=QColor.name)
def test_words_can_be_read_on_the_panels(words, ground):
    assert contrast(words, ground) >= 4.5


@pytest.mark.parametrize(
    ("size", "scale"),
    [((1920, 1080), 1.0), ((1280, 720), 2 / 3), ((1920, 540), 0.5), ((100, 100), 0.5), ((9999, 9999), 4)],
)
def test_all_grows_with_the_smaller_side(size, scale):
    assert theme.scale_for(*size) == pytest.approx(scale)

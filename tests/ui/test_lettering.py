from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor, QImage, QPainter

from spikebridge.ui import theme
from spikebridge.ui.lettering import Face, draw_text, fitted, fitted_size, text_height, text_width, wrapped

FACE = Face(20)


def ink(text, face=FACE, ratio=1.0, left=4.0):
    """(columns, rows) of an image of 300×60 px in which something was drawn."""
    image = QImage(round(300 * ratio), round(60 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("black"))
    painter = QPainter(image)
    draw_text(painter, QPointF(left, 10), text, face, QColor("white").rgba(), ratio)
    painter.end()
    buffer = image.constBits()
    pixels = np.frombuffer(bytes(buffer.asarray(image.sizeInBytes())), np.uint32) & 0xFFFFFF
    drawn = pixels.reshape(image.height(), image.width()) > 0x202020
    return np.flatnonzero(drawn.any(axis=0)), np.flatnonzero(drawn.any(axis=1))


@pytest.fixture(autouse=True)
def _application(application):
    """Fonts need one."""


def test_digits_have_one_width():
    assert theme.has_tabular_digits(theme.family())
    assert theme.has_tabular_digits(theme.family(narrow=True))
    assert len({text_width(f"{n}", FACE) for n in range(10)}) == 1


def test_widths_add_up():
    assert text_width("1.23 ms", FACE) == 3 * text_width("1", FACE) + text_width(".", FACE) + text_width(" ms", FACE)
    assert text_width("", FACE) == 0
    assert text_width("wide", Face(20, True)) > text_width("wide", Face(20, True, True))


@pytest.mark.parametrize("text", ["1.23 ms", "right arm", "⚠ 12", "42"])
@pytest.mark.parametrize("size_px", [9, 20, 40])
def test_text_is_painted_where_its_width_says(text, size_px):
    face = Face(size_px)
    columns, rows = ink(text, face)
    assert 2 <= columns[0] <= 4 + 0.2 * size_px
    assert 0.8 * text_width(text, face) - 2 <= columns[-1] - columns[0] <= text_width(text, face) + 2
    assert rows[0] >= 10
    assert rows[-1] < 10 + text_height(face)


def test_text_is_sharp_on_dense_screens():
    plain, dense = ink("1234567", ratio=1.0)[0], ink("1234567", ratio=2.0)[0]
    assert dense[-1] - dense[0] == pytest.approx(2 * (plain[-1] - plain[0]), abs=6)


def test_a_text_is_cut_only_where_it_is_too_wide():
    width = text_width("end of the step", FACE)
    assert fitted("end of the step", FACE, width) == ("end of the step", width)
    cut, narrower = fitted("end of the step", FACE, width - 20)
    assert cut.endswith("…")
    assert "end of the step".startswith(cut[:-1])
    assert narrower == text_width(cut, FACE) <= width - 20
    assert fitted("end", FACE, 1) == ("", 0)


def test_the_fitted_size_fits_and_the_next_does_not():
    size = fitted_size("counter-clockwise", 200, Face(90, True, True))
    assert text_width("counter-clockwise", Face(size, True, True)) <= 200
    assert text_width("counter-clockwise", Face(size + 2, True, True)) > 200
    assert fitted_size("a", 200, Face(20)) == 20
    assert fitted_size("counter-clockwise", 1, Face(20)) == 9


def test_pieces_are_joined_as_far_as_they_fit():
    room = text_width("one two", FACE)
    assert wrapped(("one", "two", "three"), FACE, room) == ("one two", "three")
    assert wrapped(("one", "two", "three"), FACE, room - 1) == ("one", "two", "three")
    # one that is too long stands alone, and what is empty nowhere
    assert wrapped(("", "much too long", "a", ""), FACE, 20) == ("much too long", "a")
    assert wrapped(("", ""), FACE, room) == ()

from __future__ import annotations

import pytest
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QRegion

from spikebridge.contracts import LABELS
from spikebridge.resources import assets_folder
from spikebridge.ui.items import (
    CENTRE,
    LEFT,
    RIGHT,
    Box,
    Canvas,
    Frame,
    Icon,
    Image,
    Line,
    Paragraph,
    Pointer,
    Words,
    pictogram,
)

RED, BLACK = QColor("red"), QColor("black")
PLACE = QRectF(10, 10, 40, 20)


@pytest.fixture
def drawn(application):
    """Draws an item on 60×40 black px."""

    def draw(item, damaged=(0, 0, 60, 40)):
        image = QImage(60, 40, QImage.Format.Format_RGB32)
        image.fill(BLACK)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        item.draw(Canvas(painter, 1.0, 1.0, QRegion(*damaged)))
        painter.end()
        return image

    return draw


def coloured(image, colour=RED):
    return {(x, y) for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y) == colour}


@pytest.mark.parametrize("name", [*LABELS, "none"])
def test_every_label_has_a_pictogram(application, name):
    assert (assets_folder() / "gestures" / f"{name}.svg").is_file()
    image = pictogram(name, 64, "#56b4e9").toImage()
    drawn = sum(image.pixelColor(x, y).alpha() > 200 for x in range(64) for y in range(64))
    assert 300 < drawn < 2500


def test_pictograms_differ(application):
    pictures = [bytes(pictogram(n, 32, "#ffffff").toImage().bits().asarray(32 * 32 * 4)) for n in (*LABELS, "none")]
    assert len(set(pictures)) == len(LABELS) + 1


def test_a_label_without_a_file_has_the_picture_of_none(application):
    assert pictogram("thumbs_up", 32, "#ffffff").toImage() == pictogram("none", 32, "#ffffff").toImage()


def test_a_box_fills_its_place(drawn):
    assert coloured(drawn(Box(PLACE, RED))) == {(x, y) for x in range(10, 50) for y in range(10, 30)}


def test_round_corners_are_left_out_wherever_they_are_damaged(drawn):
    whole = drawn(Box(PLACE, RED, 6))
    assert whole.pixelColor(10, 10) == BLACK
    assert whole.pixelColor(30, 20) == RED
    assert drawn(Box(PLACE, RED, 6), (0, 0, 12, 12)).pixelColor(10, 10) == BLACK
    # where only the middle is damaged, no corner is seen
    assert coloured(drawn(Box(PLACE, RED, 6), (20, 18, 5, 4))) >= coloured(whole)


def test_a_line_runs_along_the_longer_side(drawn):
    assert coloured(drawn(Line(QRectF(10, 20, 40, 2), RED))) == {(x, y) for x in range(10, 50) for y in (20, 21)}
    assert coloured(drawn(Line(QRectF(20, 10, 2, 20), RED))) == {(x, y) for x in (20, 21) for y in range(10, 30)}
    dashed = coloured(drawn(Line(QRectF(20, 0, 2, 40), RED, Qt.PenStyle.DashLine)))
    assert 0 < len(dashed) < 80


def test_a_frame_is_hollow(drawn):
    image = drawn(Frame(PLACE, RED, 2, 4))
    assert image.pixelColor(30, 11) == image.pixelColor(49, 20) == RED
    assert image.pixelColor(30, 20) == BLACK


def test_a_pointer_points_to_the_right(drawn):
    image = drawn(Pointer(PLACE, RED))
    rows = [sum(image.pixelColor(x, y) == RED for x in range(60)) for y in range(40)]
    assert max(rows) == rows[19] > 30
    assert image.pixelColor(11, 20) == RED


def test_an_image_is_stretched_over_its_place(drawn):
    image = QImage(2, 1, QImage.Format.Format_RGB32)
    image.setPixelColor(0, 0, RED)
    image.setPixelColor(1, 0, BLACK)
    assert coloured(drawn(Image(PLACE, image))) == {(x, y) for x in range(10, 30) for y in range(10, 30)}


def test_an_icon_is_that_of_its_name(drawn):
    place = QRectF(10, 5, 30, 30)
    assert drawn(Icon(place, "air_drums", RED)) != drawn(Icon(place, "arm_roll", RED))
    assert coloured(drawn(Icon(place, "air_drums", RED)))


@pytest.mark.parametrize(("align", "left"), [(LEFT, 0), (RIGHT, 30), (CENTRE, 15)])
def test_words_are_aligned_in_their_place(application, align, left):
    words = Words(QRectF(10, 0, 100, 40), "12", 20, align=align)
    spare = 100 - words.extent(1.0).width()
    assert words.extent(1.0).left() == pytest.approx(10 + left / 30 * spare)
    assert words.extent(1.0).center().y() == 20
    assert words.extent(2.0).height() > 1.8 * words.extent(1.0).height()


def test_words_are_cut_to_their_place(application):
    words = Words(QRectF(0, 0, 50, 30), "far too many words", 20)
    assert words.shown(1.0).endswith("…")
    assert words.extent(1.0).width() <= 50


def test_a_paragraph_takes_several_lines(drawn):
    one, two = (
        drawn(Paragraph(QRectF(0, 0, 60, 40), "m", 10, RED)),
        drawn(Paragraph(QRectF(0, 0, 60, 40), "m mmmm mmm", 10, RED)),
    )

    def rows(image):
        return len({y for y in range(40) for x in range(60) if image.pixelColor(x, y) != BLACK})

    assert rows(two) >= 2 * rows(one)

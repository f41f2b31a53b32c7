from __future__ import annotations

from PyQt6.QtGui import QColor

from spikebridge.ui.history import SPARK_POINTS
from spikebridge.ui.sparklines import draw_sparklines, spark_cells


def test_cells_by_hand():
    cells = spark_cells([(1.0, 4.0, 2.0)], 4)[0]
    # 1, 4 and 2 of 4 in four rows, at the right; the topmost cell of each is the curve
    assert cells[:, -3:].tolist() == [[0, 2, 0], [0, 1, 0], [0, 1, 2], [2, 1, 1]]
    assert not cells[:, :-3].any()


def test_nothing_known_is_empty_and_zero_is_flat():
    cells = spark_cells([(), (0.0, 0.0)], 3)
    assert cells.shape == (2, 3, SPARK_POINTS)
    assert not cells.any()


def test_each_has_its_colour_on_the_ground():
    red, blue, ground = QColor(200, 0, 0), QColor(0, 0, 200), QColor(10, 10, 10)
    first, second = draw_sparklines([(1.0, 1.0), (1.0,)], [red, blue], ground, 2)
    right = SPARK_POINTS - 1
    assert first.pixelColor(right, 0) == red
    # three tenths of the way from the ground to the colour
    assert first.pixelColor(right, 1) == QColor(67, 7, 7)
    assert second.pixelColor(right, 0) == blue
    assert second.pixelColor(right - 1, 0) == ground

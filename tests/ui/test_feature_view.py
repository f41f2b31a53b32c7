from __future__ import annotations

import numpy as np
import pytest

from spikebridge.ui.feature_view import FeatureView, mosaic
from spikebridge.ui.items import Image


@pytest.fixture
def view(application):
    view = FeatureView()
    view.resize(370, 590)
    return view


def test_mosaic_by_hand():
    tiles = np.array([[[1]], [[2]], [[3]]], np.uint8)
    assert mosaic(tiles).tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]


def test_it_waits_for_spikes(view):
    view.show_features(None, (2, 4, 4, 4))
    assert view.texts == ("What the accumulator sees", "waiting for spikes")


def test_words_on_what_is_seen(view):
    features = np.zeros((8, 4, 4), np.uint8)
    # the four intervals of the second channel: 1 + 2 + 3 + 4
    features[4:, 1, 2] = (1, 2, 3, 4)
    view.show_features(features, (2, 4, 4, 4), "s2a4-stream")
    assert view.texts == (
        "What the accumulator sees",
        "s2a4-stream",
        "2 channels of 4×4",
        "sum of 4 intervals: 0…10",
    )
    view.show_features(features[5:6], (1, 1, 4, 4))
    assert view.texts[1:] == ("1 channel of 4×4", "sum of 1 interval: 0…2")


def test_the_brightest_tile_is_where_most_was_counted(view):
    features = np.zeros((2, 1, 1), np.uint8)
    features[1] = 9
    view.show_features(features, (2, 1, 1, 1))
    (image,) = [item.image for item in view.items if isinstance(item, Image)]
    assert image.pixelColor(2, 0).lightness() > 3 * image.pixelColor(0, 0).lightness()

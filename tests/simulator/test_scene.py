import numpy as np
import pytest

from spikebridge.simulator.scene import N_COLUMNS, render


def paint(*capsules, wall=0.0):
    image, canvas = np.full((32, 48), wall, np.float32), np.empty((32, 48), np.float32)
    render(image, np.array(capsules, np.float32).reshape(-1, N_COLUMNS), canvas, 0.0, -1.0)
    return canvas


def test_a_capsule_covers_its_length_and_not_more():
    image = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0])
    assert image[16, 10:31] == pytest.approx(np.ones(21))
    assert image[16, 20] == 1
    assert image[11, 20] == image[16, 5] == image[16, 35] == 0


def test_the_later_capsule_hides_the_earlier_and_a_shadow_adds():
    over = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0], [20, 16, 3, 20, 16, 3, -1.0, 0, 0, 0, 1, 0])
    shadow = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0], [20, 16, 3, 20, 16, 3, -0.25, 0, 0, 0, 1, 1])
    assert over[16, 20] == -1
    assert shadow[16, 20] == pytest.approx(0.75)


def test_capsules_beyond_the_edge_are_cut():
    image = paint([-40, -5, 6, -10, 40, 6, 1.0, 0, 0, 0, 1, 0], [45, 16, 5, 80, 16, 5, 2.0, 0, 0, 0, 1, 0])
    assert image[16, 47] == 2
    assert image[:, :30].max() == 0


def test_light_from_above_brightens_the_upper_side():
    image = paint([10, 16, 6, 30, 16, 6, 1.0, 0.3, 0, 0, 1, 0])
    assert image[12, 20] > image[16, 20] > image[20, 20]

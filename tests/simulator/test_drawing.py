from __future__ import annotations

import numpy as np
import pytest

from spikebridge.simulator.drawing import LANES, N_COLUMNS, padded_width, render

HEIGHT, WIDTH = 32, 48
ABOVE = (0.0, -1.0)


def paint(*capsules, wall=0.0, light=ABOVE):
    """(H, W) image of one frame."""
    image, out = np.full((HEIGHT, WIDTH), wall, np.float32), np.empty((1, HEIGHT, WIDTH), np.float32)
    render(image, np.array(capsules, np.float32).reshape(1, -1, N_COLUMNS), out, light)
    return out[0]


def reference(capsules, wall=0.0, light=ABOVE):
    """The same in double precision, all pixels of the picture for each capsule."""
    image = np.full((HEIGHT, WIDTH), wall, np.float64)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    for x0, y0, r0, x1, y1, r1, value, shade, stripe, stripes, soft, adds in np.array(capsules, np.float32).tolist():
        dx, dy = x1 - x0, y1 - y0
        s = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-6), 0.0, 1.0)
        nx, ny, r = x - x0 - s * dx, y - y0 - s * dy, r0 + s * (r1 - r0)
        share = np.clip((r - np.hypot(nx, ny)) / soft * 0.5 + 0.5, 0.0, 1.0)
        share = share * share * (3.0 - 2.0 * share)
        wave = np.clip(6.0 * (np.abs((s * stripes) % 1.0 - 0.5) - 0.25), -1.0, 1.0)
        shown = value + shade * (nx * light[0] + ny * light[1]) / r + stripe * wave
        image = image + share * value if adds else image + share * (shown - image)
    return image


def random_capsules(rng, n):
    """Of all sizes, some a single point, some across the edges of the picture or outside of it."""
    capsules = np.empty((n, N_COLUMNS))
    capsules[:, 0:2], capsules[:, 3:5] = rng.uniform(-30, 80, (2, n, 2))
    capsules[:, 2], capsules[:, 5] = rng.uniform(0.3, 14.0, (2, n))
    capsules[:, 6:9], capsules[:, 9] = rng.normal(0.0, 0.5, (n, 3)), rng.uniform(0.0, 9.0, n)
    capsules[:, 10], capsules[:, 11] = rng.uniform(1.0, 10.0, n), rng.random(n) < 0.3
    capsules[rng.random(n) < 0.4, 8] = 0.0
    points = rng.random(n) < 0.2
    capsules[points, 3:5] = capsules[points, 0:2]
    return capsules


def test_images_are_those_of_the_reference():
    rng = np.random.default_rng(0)
    for _ in range(60):
        capsules, angle = random_capsules(rng, 12), rng.uniform(0, 2 * np.pi)
        light = (float(np.cos(angle)), float(np.sin(angle)))
        assert paint(*capsules, wall=0.2, light=light) == pytest.approx(reference(capsules, 0.2, light), abs=1e-4)


def test_frames_follow_each_other_and_do_not_mix():
    rng = np.random.default_rng(1)
    frames = np.stack([random_capsules(rng, 5) for _ in range(3)]).astype(np.float32)
    wall, out = np.zeros((HEIGHT, WIDTH), np.float32), np.empty((3, HEIGHT, WIDTH), np.float32)
    render(wall, frames, out, ABOVE)
    for capsules, image in zip(frames, out, strict=True):
        assert np.array_equal(image, paint(*capsules))


def test_no_capsule_shows_the_wall():
    assert np.all(paint(wall=0.3) == np.float32(0.3))


@pytest.mark.parametrize(
    ("x", "y"), [(-30, 16), (-9, 16), (-8, 16), (WIDTH + 9, 16), (500, 16), (20, -9), (20, HEIGHT + 9), (-400, -400)]
)
@pytest.mark.parametrize("adds", [0, 1])
def test_a_capsule_outside_of_the_picture_leaves_it_as_it_is(x, y, adds):
    assert np.all(paint([x, y, 3, x, y, 3, 1.0, 0.2, 0.3, 4, 1, adds], wall=0.25) == np.float32(0.25))


@pytest.mark.parametrize("adds", [0, 1])
def test_a_point_is_a_disc(adds):
    image = paint([20, 16, 5, 20, 16, 5, 1.0, 0, 0, 0, 1, adds])
    assert image[16, 16:25] == pytest.approx(np.ones(9))
    assert image[16, 20] == image[12, 20] == image[20, 20] == 1
    assert image[16, 13] == image[9, 20] == 0


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


def test_rows_are_whole_vectors():
    assert [padded_width(width) for width in (1, LANES, LANES + 1, 128, 346)] == [8, 8, 16, 128, 352]

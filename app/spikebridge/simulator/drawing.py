"""Compiled: from capsules to images in log intensity."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from spikebridge.simulator.compiling import FUSED, part

Image = NDArray[np.float32]

#: Rows of images have a multiple of this many pixels: whole vectors, no rest that goes one pixel at a time.
LANES = 8

#: Columns of a capsule: both ends and radii in px, log intensity, shading across, stripe amplitude, stripes along it,
#: edge softness in px, and whether it adds to what lies below (shadow) or covers it.
X0, Y0, R0, X1, Y1, R1, VALUE, SHADE, STRIPE, STRIPES, SOFT, ADDS, N_COLUMNS = range(13)

_ZERO, _HALF, _ONE, _THREE_HALVES, _TWO, _THREE, _SIX = (np.float32(n) for n in (0, 0.5, 1, 1.5, 2, 3, 6))
_SHORTEST_SQUARE = np.float32(1e-6)

#: Of a capsule's axis, px: its x, its y, growth of the radius along it; 1 / px²: one over its squared length.
_Axis = tuple[float, float, float, float]


def padded_width(width: int) -> int:
    """Pixels in a row of an image that shows ``width``."""
    return -(-width // LANES) * LANES


@part()
def _copy(image: Image, to: Image) -> None:
    """An assignment of a whole array would bring numba's broadcasting with it: seconds of compiling."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            to[y, x] = image[y, x]


@part()
def _product(a: float, b: float) -> float:
    """``a * b`` with a rounding of its own, where two products are added, of which either could be fused."""
    return a * b


@part(FUSED)
def _cover(square: float, r: float, r_soft: float, per_softness: float) -> np.float32:
    """Share of a pixel that is covered, from its squared distance to the capsule's axis and the radius there, px."""
    share = min((r - math.sqrt(square)) * per_softness + _HALF, _ONE)
    share = share if share > _ZERO and square < r_soft * r_soft else _ZERO
    return share * share * (_THREE - _TWO * share)


# Three loops that differ in a line or two: with one condition inside, the compiler would find no vectors in any.


@part(FUSED)
def _draw_shadow(strip: Image, left: int, py: float, c: Image, axis: _Axis, per_softness: float) -> None:
    dx, dy, dr, per_square = axis
    x0, r0, r0_soft, value, along = c[X0], c[R0], c[R0] + c[SOFT], c[VALUE], _product(py, dy)
    for k in range(strip.size):
        px = np.float32(np.int32(k + left)) - x0
        s = min(max((px * dx + along) * per_square, _ZERO), _ONE)
        nx, ny, wider = px - s * dx, py - s * dy, _product(s, dr)
        strip[k] += _cover(nx * nx + _product(ny, ny), wider + r0, wider + r0_soft, per_softness) * value


@part(FUSED)
def _draw_plain(
    strip: Image, left: int, py: float, c: Image, axis: _Axis, per_softness: float, light: tuple[float, float]
) -> None:
    dx, dy, dr, per_square = axis
    x0, r0, soft, value, shade, along = c[X0], c[R0], c[SOFT], c[VALUE], c[SHADE], _product(py, dy)
    for k in range(strip.size):
        px = np.float32(np.int32(k + left)) - x0
        s = min(max((px * dx + along) * per_square, _ZERO), _ONE)
        nx, ny, r = px - s * dx, py - s * dy, s * dr + r0
        shown = value + shade * (nx * light[0] + _product(ny, light[1])) / r
        strip[k] += _cover(nx * nx + _product(ny, ny), r, r + soft, per_softness) * (shown - strip[k])


@part(FUSED)
def _draw_striped(
    strip: Image, left: int, py: float, c: Image, axis: _Axis, per_softness: float, light: tuple[float, float]
) -> None:
    dx, dy, dr, per_square = axis
    x0, r0, soft, value, shade, along = c[X0], c[R0], c[SOFT], c[VALUE], c[SHADE], _product(py, dy)
    stripe, stripes = c[STRIPE], c[STRIPES]
    for k in range(strip.size):
        px = np.float32(np.int32(k + left)) - x0
        s = min(max((px * dx + along) * per_square, _ZERO), _ONE)
        nx, ny, r = px - s * dx, py - s * dy, s * dr + r0
        band = _product(s, stripes)
        wave = min(max(_SIX * abs((band - _HALF) - np.floor(band)) - _THREE_HALVES, -_ONE), _ONE)
        shown = value + shade * (nx * light[0] + _product(ny, light[1])) / r + stripe * wave
        strip[k] += _cover(nx * nx + _product(ny, ny), r, r + soft, per_softness) * (shown - strip[k])


@part(FUSED)
def _draw(c: Image, out: Image, light: tuple[float, float]) -> None:
    """One capsule over ``out`` (H, W): whole vectors of pixels that hold it; it covers the rest to a share of 0."""
    height, width = out.shape
    dx, dy = c[X1] - c[X0], c[Y1] - c[Y0]
    edge = max(c[R0], c[R1]) + c[SOFT]
    left, right = max(int(min(c[X0], c[X1]) - edge), 0), int(max(c[X0], c[X1]) + edge) + 2
    top, bottom = max(int(min(c[Y0], c[Y1]) - edge), 0), min(int(max(c[Y0], c[Y1]) + edge) + 2, height)
    left, right = left // LANES * LANES, (min(max(right, 0), width) + LANES - 1) // LANES * LANES
    axis = dx, dy, c[R1] - c[R0], _ONE / max(dy * dy + _product(dx, dx), _SHORTEST_SQUARE)
    per_softness = _HALF / c[SOFT]
    for y in range(top, bottom):
        strip, py = out[y, left:right], np.float32(np.int32(y)) - c[Y0]
        if c[ADDS] > _HALF:
            _draw_shadow(strip, left, py, c, axis, per_softness)
        elif c[STRIPE] != _ZERO:
            _draw_striped(strip, left, py, c, axis, per_softness, light)
        else:
            _draw_plain(strip, left, py, c, axis, per_softness, light)


@numba.njit(
    "void(f4[:,::1], f4[:,:,::1], f4[:,:,::1], UniTuple(f4, 2))",
    cache=True, nogil=True, fastmath=FUSED, error_model="numpy",
)  # fmt: skip
def render(wall: Image, capsules: Image, out: Image, light: tuple[float, float]) -> None:
    """Paints the ``capsules`` (N, P, 12) of N frames over ``wall`` (H, W) into ``out`` (N, H, W), in order.

    W is a multiple of ``LANES``. light : where it comes from, x and y of a unit vector. Blends in the logarithm: the
    pixels see nothing else, and it saves one logarithm per pixel and frame.
    """
    for frame in range(capsules.shape[0]):
        _copy(wall, out[frame])
        for p in range(capsules.shape[1]):
            _draw(capsules[frame, p], out[frame], light)

"""Windows of events, varied at random and binned into lists of active inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.contracts import LABELS

#: Clips are stored with times in units of 0.1 ms: exact enough for steps of 10 ms, and 16 bits hold 6.5 s.
TICK_US = 100

#: A mirrored picture swaps the arms and, seen from the performer, the sense of rotation: the right arm's clockwise
#: circle becomes the left arm's counter-clockwise one. Clapping, rolling, drums, guitar and other stay what they are.
_MIRRORED = {
    "right_hand_wave": "left_hand_wave",
    "right_arm_clockwise": "left_arm_counter_clockwise",
    "right_arm_counter_clockwise": "left_arm_clockwise",
}
_SWAPS = {**_MIRRORED, **{after: before for before, after in _MIRRORED.items()}}
MIRRORED_INDEX = np.array([LABELS.index(_SWAPS.get(label, label)) for label in LABELS], np.int64)


#: Shares in 16 bits.
_FRACTION = 65536.0
_PER_FRACTION = np.float32(1 / 65536)
_LOW = np.uint64(65535)
#: xorshift64* (Vigna 2016), its state spread over all bits by the golden ratio.
_MULTIPLIER = np.uint64(2685821657736338717)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of variation; every value is drawn anew for each window.

    shift_px : σ of the offset. scale_log : σ of the logarithm of the size. rotation_deg, shear : σ.
    warp_log : σ of the logarithm of the speed. drop : largest share of events left out. flip : largest share of
    polarities turned. noise_per_step : largest mean number of stray events. haze_per_step, haze_px : of stray events
    around one place, and the ends of its σ. hot_pixels : largest number, each active
    in up to half of the steps. mirror, sparse, empty : probabilities of a mirrored window, of one with hardly any
    events left, and of one with noise alone; the target of the last two is undecided.
    """

    shift_px: float = 6.0
    scale_log: float = 0.12
    rotation_deg: float = 4.0
    shear: float = 0.03
    warp_log: float = 0.15
    drop: float = 0.35
    flip: float = 0.05
    noise_per_step: float = 30.0
    haze_per_step: float = 90.0
    haze_px: tuple[float, float] = (5.0, 30.0)
    hot_pixels: int = 6
    mirror: float = 0.5
    sparse: float = 0.03
    empty: float = 0.03

    def scaled(self, share: float) -> Augmentation:
        """Variations of ``share`` the size; mirrored, sparse and empty windows stay as frequent."""
        return replace(
            self,
            shift_px=share * self.shift_px,
            scale_log=share * self.scale_log,
            rotation_deg=share * self.rotation_deg,
            shear=share * self.shear,
            warp_log=share * self.warp_log,
            drop=share * self.drop,
            flip=share * self.flip,
            noise_per_step=share * self.noise_per_step,
            haze_per_step=share * self.haze_per_step,
        )


@dataclass(frozen=True, slots=True)
class Variation:
    """One draw. matrix : picture to picture, (2, 3), about the centre. speed : of the events' clock.
    haze : its mean number of events, centre x and y and σ along x and y in px.
    ``certainty``: 1 where the label holds, 0 where nothing can be told."""

    matrix: NDArray[np.float32]
    speed: float = 1.0
    keep: float = 1.0
    flip: float = 0.0
    noise_per_step: float = 0.0
    haze: NDArray[np.float32] = field(default_factory=lambda: np.zeros(5, np.float32))
    hot: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    hot_share: float = 0.0
    mirrored: bool = False
    certainty: float = 1.0


IDENTITY = Variation(np.array([[1, 0, 0], [0, 1, 0]], np.float32))


def draw(ranges: Augmentation, random: np.random.Generator) -> Variation:
    """A variation within ``ranges``."""
    mirrored = bool(random.random() < ranges.mirror)
    angle = math.radians(random.normal(0, ranges.rotation_deg))
    size = math.exp(random.normal(0, ranges.scale_log))
    shear = random.normal(0, ranges.shear)
    cosine, sine = size * math.cos(angle), size * math.sin(angle)
    flip_x = -1 if mirrored else 1
    matrix = np.array(
        [
            [flip_x * cosine, -sine + shear, random.normal(0, ranges.shift_px)],
            [flip_x * sine, cosine, random.normal(0, ranges.shift_px)],
        ],
        np.float32,
    )
    keep, certainty = 1 - random.random() * ranges.drop, 1.0
    fate = random.random()
    if fate < ranges.empty:
        keep, certainty = 0.0, 0.0
    elif fate < ranges.empty + ranges.sparse:
        keep, certainty = 0.01 + 0.05 * random.random(), 0.0
    return Variation(
        matrix=matrix,
        speed=math.exp(random.normal(0, ranges.warp_log)),
        keep=keep,
        flip=random.random() * ranges.flip,
        noise_per_step=ranges.noise_per_step * random.random() ** 3,
        haze=np.array(
            [
                ranges.haze_per_step * random.random() ** 2,
                *random.normal((64, 80), (22, 16)),
                *random.uniform(*ranges.haze_px, 2),
            ],
            np.float32,
        ),
        hot=random.integers(0, 2 * 128 * 128, random.integers(0, ranges.hot_pixels + 1)),
        hot_share=0.5 * random.random(),
        mirrored=mirrored,
        certainty=certainty,
    )


def bin_window(
    ticks: NDArray[np.uint16],
    addresses: NDArray[np.uint16],
    start: float,
    steps: int,
    step_ticks: int,
    variation: Variation,
    seed: int,
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """(addresses, (steps + 1,) offsets) of the active inputs from ``start`` (ticks) on.

    ticks : ascending times of a clip's events. addresses : ``(p * 128 + y) * 128 + x``. Times before the clip's first
    event are silent. ``step_ticks`` is the length of a step on the clip's clock at speed 1.
    """
    length = step_ticks * variation.speed
    begin, end = np.searchsorted(ticks, [max(0.0, start), max(0.0, start + steps * length)])
    stray = float(variation.noise_per_step + variation.haze[0])
    room = int(end - begin + steps * (4 * stray + variation.hot.size + 32))
    active = np.empty(room, np.uint16)
    offsets = np.zeros(steps + 1, np.int64)
    _bin(
        ticks[begin:end],
        addresses[begin:end],
        float(start),
        float(length),
        variation.matrix,
        float(variation.keep),
        float(variation.flip),
        float(variation.noise_per_step),
        variation.haze,
        variation.hot,
        float(variation.hot_share),
        seed & 0x7FFFFFFF,
        active,
        offsets,
    )
    return active[: offsets[-1]], offsets


@njit(cache=True, nogil=True)
def _bin(
    ticks: NDArray[np.uint16],
    addresses: NDArray[np.uint16],
    start: float,
    length: float,
    matrix: NDArray[np.float32],
    keep: float,
    flip: float,
    noise: float,
    haze: NDArray[np.float32],
    hot: NDArray[np.int64],
    hot_share: float,
    seed: int,
    active: NDArray[np.uint16],
    offsets: NDArray[np.int64],
) -> None:
    np.random.seed(seed)
    exact = matrix[0, 0] == 1 and matrix[1, 1] == 1 and matrix[0, 1] == 0 and matrix[1, 0] == 0
    xx, xy, x0, yx, yy, y0 = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[1, 0], matrix[1, 1], matrix[1, 2]
    kept, flipped = np.uint64(keep * _FRACTION), np.uint64(flip * _FRACTION)
    state = np.uint64(seed) * _SPREAD + _SPREAD
    seen = np.full(2 * 128 * 128, -1, np.int16)
    n, event = 0, 0
    for step in range(offsets.size - 1):
        until = start + (step + 1) * length
        stray = min(np.random.poisson(noise), int(4 * noise) + 16) if noise > 0 else 0
        hazy = min(np.random.poisson(haze[0]), int(4 * haze[0]) + 16) if haze[0] > 0 else 0
        for i in range(stray + hot.size + hazy):
            if i < stray:
                address = np.random.randint(0, 2 * 128 * 128)
            elif i >= stray + hot.size:
                column = int(np.floor(np.random.normal(haze[1], haze[3])))
                row = int(np.floor(np.random.normal(haze[2], haze[4])))
                if column < 0 or column > 127 or row < 0 or row > 127:
                    continue
                address = (np.random.randint(0, 2) << 14) | (row << 7) | column
            elif np.random.random() < hot_share:
                address = hot[i - stray]
            else:
                continue
            if seen[address] != step:
                seen[address] = step
                active[n] = address
                n += 1
        while event < ticks.size and ticks[event] < until:
            stored = np.int64(addresses[event])
            event += 1
            # xorshift64*: four numbers of 16 bits for each event; numba's own generator would take most of the time.
            state ^= state >> np.uint64(12)
            state ^= state << np.uint64(25)
            state ^= state >> np.uint64(27)
            bits = state * _MULTIPLIER
            if (bits >> np.uint64(48)) >= kept:
                continue
            p, y, x = stored >> 14, (stored >> 7) & 127, stored & 127
            if exact:
                column, row = int(np.floor(x + x0)), int(np.floor(y + y0))
            else:
                # A place at random inside the pixel: a larger picture gets no grid of holes.
                dx = np.float32(x - 64) + np.float32((bits >> np.uint64(32)) & _LOW) * _PER_FRACTION
                dy = np.float32(y - 64) + np.float32((bits >> np.uint64(16)) & _LOW) * _PER_FRACTION
                column = int(np.floor(xx * dx + xy * dy + x0)) + 64
                row = int(np.floor(yx * dx + yy * dy + y0)) + 64
            if column < 0 or column > 127 or row < 0 or row > 127:
                continue
            if (bits & _LOW) < flipped:
                p = 1 - p
            moved = (p << 14) | (row << 7) | column
            if seen[moved] != step:
                seen[moved] = step
                active[n] = moved
                n += 1
        offsets[step + 1] = n

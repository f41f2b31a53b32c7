"""How windows of events are varied in training: what may be drawn, and one draw of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS

#: A mirrored picture swaps the arms and, seen from the performer, the sense of rotation: the right arm's clockwise
#: circle becomes the left arm's counter-clockwise one. Clapping, rolling, drums, guitar and other stay what they are.
_MIRRORED = {
    "right_hand_wave": "left_hand_wave",
    "right_arm_clockwise": "left_arm_counter_clockwise",
    "right_arm_counter_clockwise": "left_arm_clockwise",
}
_SWAPS = {**_MIRRORED, **{after: before for before, after in _MIRRORED.items()}}
MIRRORED_INDEX = np.array([LABELS.index(_SWAPS.get(label, label)) for label in LABELS], np.int64)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of variation; every value is drawn anew for each window.

    shift_px : σ of the offset. scale_log : σ of the logarithm of the size. rotation_deg, shear : σ of the angle and of
    the shear. warp_log : σ of the logarithm of the speed. drop : largest share of events that are left out. flip :
    largest share of polarities that are turned. noise_per_step : largest mean number of stray events in a step.
    haze_per_step : the same of stray events around one place. haze_px : smallest and largest σ of that place.
    hot_pixels : largest number of pixels that are active in up to half of the steps. mirror, sparse, empty :
    probabilities of a mirrored window, of one with hardly any events left, and of one with noise alone; in the last two
    nothing can be told.
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
        """Ranges of ``share`` times the size; mirrored, sparse and empty windows stay as frequent."""
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
    """One draw of ``Augmentation``.

    matrix : (2, 3) affine map of the picture about its centre, px. speed : of the events' clock. keep : share of the
    events that stay. flip : share of the polarities that are turned. noise_per_step : mean number of stray events.
    haze : (5,) mean number of events in a step, centre x and y, σ along x and y, px. hot : (n,) addresses of hot
    pixels. hot_share : share of the steps in which each is active. mirrored : whether left and right are swapped.
    certainty : 1 where the label holds, 0 where nothing can be told.
    """

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

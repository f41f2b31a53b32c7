"""Everything that the simulated camera draws at random, with its ranges, in one place.

Two numbers are the ends of a uniform draw, ``*_log`` pairs the ends of a uniform draw of the logarithm. Lengths are in
metres on the person, px on the sensor; brightness is log intensity relative to the wall behind the person.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Domain randomisation of body, pose, motion, scene and sensor."""

    # ---- body and framing
    shoulder_half_m: Range = (0.165, 0.205)
    upper_arm_m: Range = (0.26, 0.31)
    forearm_m: Range = (0.23, 0.275)
    hand_m: Range = (0.13, 0.175)
    arm_radius_m: Range = (0.030, 0.046)
    head_half_width_m: Range = (0.068, 0.084)
    torso_half_width_m: Range = (0.14, 0.19)
    px_per_m: Range = (84.0, 110.0)
    centre_x_px: Range = (57.0, 77.0)
    shoulder_y_px: Range = (52.0, 75.0)
    camera_distance_m: Range = (1.5, 3.2)
    tilt_rad: Range = (-0.06, 0.06)

    # ---- look, in log intensity against the wall
    dark_on_bright_share: float = 0.75
    skin: Range = (0.4, 1.3)
    shirt: Range = (0.05, 0.9)
    hair: Range = (0.3, 1.5)
    long_sleeve_share: float = 0.4
    stripe_share: float = 0.2
    stripe_amplitude: Range = (0.05, 0.3)
    wrinkles: tuple[int, int] = (2, 7)
    shade: Range = (0.05, 0.35)
    shadow: Range = (0.06, 0.28)
    shadow_reach_m: Range = (0.05, 0.15)

    # ---- motion
    clap_hz: Range = (1.6, 3.4)
    wave_hz: Range = (1.3, 3.4)
    circle_hz: Range = (0.65, 1.6)
    roll_hz: Range = (1.2, 3.0)
    drum_hz: Range = (1.3, 3.0)
    strum_hz: Range = (1.6, 4.0)
    tempo_wander: Range = (0.0, 0.25)
    tremor_m: Range = (0.0005, 0.003)
    sway_m: Range = (0.001, 0.007)
    follow: Range = (0.0, 0.05)
    ramp_s: Range = (0.25, 0.6)
    hold_s: Range = (3.0, 6.0)
    pause_s: Range = (0.8, 2.5)

    # ---- scene
    edges: tuple[int, int] = (0, 6)
    edge_contrast: Range = (0.05, 0.6)
    gradient: Range = (0.0, 0.4)
    flicker_share: float = 0.15
    flicker_amplitude: Range = (0.01, 0.05)
    blur_px: Range = (1.0, 2.2)

    # ---- pixels
    threshold: Range = (0.09, 0.18)
    threshold_mismatch: float = 0.2
    threshold_jitter: float = 0.2
    polarity_bias: float = 0.06
    low_pass_us_log: Range = (600.0, 2500.0)
    refractory_us: Range = (100.0, 400.0)
    echo_share: Range = (0.08, 0.26)
    echo_delay_us: Range = (250.0, 600.0)
    twin_share: Range = (0.0, 0.16)
    background_hz_log: Range = (0.04, 0.25)
    body_noise_hz: Range = (0.0, 1.2)
    hot_pixels: tuple[int, int] = (0, 12)
    hot_hz_log: Range = (3.0, 60.0)
    noisy_row_hz: Range = (0.0, 2.0)

    # ---- data sets
    onset_share: float = 0.3
    onset_after_s: Range = (0.1, 0.8)


DEFAULT_RANGES = Ranges()

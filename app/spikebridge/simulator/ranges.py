"""Everything that the simulated camera draws at random, with its ranges, in one place.

Two numbers are the ends of a uniform draw, ``*_log`` pairs the ends of a uniform draw of the logarithm. Lengths are in
metres on the person, px on the sensor; brightness is log intensity relative to the wall behind the person.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Wave:
    """The forearm swings about a raised elbow. Elbow: m outwards, below the shoulder, forwards. Angles in rad."""

    hz: Range = (1.3, 3.5)
    elbow_out_m: Range = (0.02, 0.18)
    elbow_below_m: Range = (-0.04, 0.18)
    elbow_forward_m: Range = (0.08, 0.2)
    swing: Range = (0.22, 0.6)
    lean: Range = (-0.1, 0.45)
    forward: Range = (0.0, 0.4)
    hand_flap: Range = (0.0, 0.8)
    elbow_share: Range = (0.0, 0.35)


@dataclass(frozen=True)
class Circle:
    """The whole arm swings round. Radii as shares of the arm's length, the centre relative to the shoulder."""

    hz: Range = (0.65, 1.7)
    large_share: float = 0.85
    large_radius: Range = (0.5, 0.85)
    small_radius: Range = (0.3, 0.5)
    width: Range = (0.75, 1.1)
    centre_out_m: Range = (-0.05, 0.15)
    centre_below_m: Range = (-0.02, 0.22)
    stretch: Range = (0.88, 0.99)
    flat_z_m: Range = (0.2, 0.4)
    flat_share: Range = (0.0, 0.5)
    slant_sigma: float = 0.08


@dataclass(frozen=True)
class Clap:
    """The palms meet before the chest; ``right_share`` of the way is the right hand's, along a line that rises by
    ``slant`` rad to its side. Fingers: added to the direction of the forearm.

    Or the left forearm lies level before the belly, and the right one turns about its elbow, ``swing`` rad up from
    there and down upon it. ``lying_in``: from which direction the left forearm lies, rad from forwards to inwards.
    """

    hz: Range = (1.8, 4.2)
    meet_x_m: Range = (-0.07, 0.05)
    meet_below_m: Range = (0.04, 0.27)
    meet_z_m: Range = (0.12, 0.38)
    opening_m: Range = (0.08, 0.19)
    right_share: Range = (0.35, 1.0)
    slant: Range = (-0.4, 1.2)
    sharpness: Range = (0.0, 0.35)
    gap_m: Range = (0.005, 0.03)
    arc: Range = (0.0, 0.5)
    elbow_out: Range = (-0.3, 0.75)
    fingers_up: Range = (-0.3, 1.5)
    fingers_forward: Range = (0.0, 1.0)
    lying_share: float = 0.35
    lying_elbow_out_m: Range = (0.02, 0.18)
    lying_elbow_below_m: Range = (0.2, 0.29)
    lying_elbow_forward_m: Range = (-0.05, 0.12)
    lying_in: Range = (0.8, 1.45)
    lying_up: Range = (-0.15, 0.4)
    lying_gives: Range = (0.04, 0.28)
    elbow_gives_m: Range = (0.0, 0.04)
    swing: Range = (0.45, 0.9)
    swing_forward: Range = (-0.2, 0.8)


@dataclass(frozen=True)
class Roll:
    """Level forearms turn about each other; ``crossing_m`` is how far the wrists reach over the middle."""

    hz: Range = (1.3, 3.0)
    forwards_share: float = 0.7
    centre_x_m: Range = (-0.07, 0.03)
    below_m: Range = (0.12, 0.3)
    z_m: Range = (0.13, 0.38)
    radius_m: Range = (0.06, 0.14)
    depth_share: Range = (0.2, 1.0)
    crossing_m: Range = (-0.02, 0.15)
    sideways_m: Range = (0.0, 0.07)
    elbow_out: Range = (0.3, 1.5)
    fingers_in: Range = (0.0, 1.5)


@dataclass(frozen=True)
class Drum:
    """Forearms beat in turn about elbows beside the body, pointing inwards. Angles in rad."""

    hz: Range = (1.4, 3.0)
    lag_sigma: float = 0.3
    snap: Range = (0.0, 0.6)
    elbow_out_m: Range = (0.04, 0.16)
    elbow_below_m: Range = (0.21, 0.3)
    elbow_forward_m: Range = (-0.05, 0.1)
    elbow_lift_m: Range = (0.0, 0.06)
    middle: Range = (-0.4, 0.15)
    swing: Range = (0.4, 0.95)
    inward: Range = (0.45, 1.2)
    sweep: Range = (-0.05, 0.35)
    wrist_flap: Range = (0.0, 0.6)


@dataclass(frozen=True)
class Guitar:
    """The right hand strums at (strum), the left holds the neck at (neck): m from between the shoulders."""

    hz: Range = (1.7, 4.3)
    strum_x_m: Range = (-0.24, -0.02)
    strum_below_m: Range = (0.24, 0.46)
    strum_z_m: Range = (0.14, 0.3)
    stroke_angle: Range = (0.6, 1.8)
    stroke_m: Range = (0.03, 0.15)
    wrist_flap: Range = (0.0, 1.0)
    neck_x_m: Range = (0.32, 0.6)
    neck_below_m: Range = (0.02, 0.32)
    neck_z_m: Range = (0.1, 0.34)
    slides_m: Range = (0.0, 0.07)
    shake_m: Range = (0.0, 0.04)
    strum_elbow_out: Range = (-0.2, 1.2)
    neck_elbow_out: Range = (-0.2, 1.0)


@dataclass(frozen=True)
class Ranges:
    """Domain randomisation of body, pose, motion, scene and sensor."""

    # ---- body and framing
    shoulder_half_m: Range = (0.165, 0.205)
    upper_arm_m: Range = (0.26, 0.31)
    forearm_m: Range = (0.23, 0.275)
    hand_m: Range = (0.105, 0.16)
    finger_spread_m: Range = (0.0, 0.03)
    arm_radius_m: Range = (0.030, 0.046)
    head_half_width_m: Range = (0.068, 0.084)
    torso_half_width_m: Range = (0.14, 0.19)
    px_per_m: Range = (77.0, 100.0)
    centre_x_px: Range = (56.0, 72.0)
    shoulder_y_px: Range = (60.0, 75.0)
    camera_distance_m: Range = (1.5, 3.2)
    tilt_rad: Range = (-0.06, 0.06)
    #: Of the trunk about the hips, to the image's right and forwards.
    lean_rad: Range = (-0.08, 0.08)
    lean_forwards_rad: Range = (-0.1, 0.2)
    sitting_share: float = 0.2
    chair_contrast: Range = (0.1, 0.8)

    # ---- look, in log intensity against the wall
    dark_on_bright_share: float = 0.75
    skin: Range = (0.55, 1.3)
    skin_on_shirt: float = 0.4
    sleeve_on_shirt: Range = (0.2, 0.55)
    shirt: Range = (0.05, 0.9)
    hair: Range = (0.3, 1.5)
    long_sleeve_share: float = 0.4
    stripe_share: float = 0.2
    stripe_amplitude: Range = (0.05, 0.3)
    folds: Range = (0.02, 0.08)
    folds_per_m: Range = (12.0, 30.0)
    wrinkles: tuple[int, int] = (1, 5)
    shade: Range = (0.05, 0.35)
    shadow: Range = (0.04, 0.22)
    shadow_reach_m: Range = (0.05, 0.15)

    # ---- motion
    wave: Wave = Wave()
    circle: Circle = Circle()
    clap: Clap = Clap()
    roll: Roll = Roll()
    drum: Drum = Drum()
    guitar: Guitar = Guitar()
    left_handed_share: float = 0.06
    #: One hand to and fro, both together, both wandering, one, both flapping, walking in or sitting down.
    other_shares: tuple[float, ...] = (0.12, 0.18, 0.18, 0.1, 0.12, 0.3)
    tempo_wander: Range = (0.0, 0.25)
    tremor_m: Range = (0.0005, 0.003)
    sway_m: Range = (0.001, 0.007)
    follow: Range = (0.0, 0.05)
    shoulder_gives: Range = (0.0, 0.1)
    cloth_follows: Range = (0.0, 0.35)
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
    echo_share: Range = (0.1, 0.32)
    echo_delay_us: Range = (250.0, 600.0)
    twin_share: Range = (0.0, 0.16)
    scatter_share: Range = (0.0, 0.2)
    scatter_px: Range = (1.5, 7.0)
    background_hz_log: Range = (0.04, 0.25)
    body_noise_hz: Range = (0.1, 3.0)
    body_noise_px: Range = (15.0, 38.0)
    noise_on_share: Range = (0.35, 0.55)
    hot_pixels: tuple[int, int] = (0, 12)
    hot_hz_log: Range = (3.0, 60.0)
    noisy_row_hz: Range = (0.0, 2.0)
    #: What the sensor reads out at most; more at once is lost.
    event_rate_limit_hz_log: Range = (2.5e5, 2.0e6)

    # ---- data sets
    onset_share: float = 0.3
    onset_after_s: Range = (0.1, 0.8)


DEFAULT_RANGES = Ranges()

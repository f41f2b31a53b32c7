import hashlib
import itertools
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikebridge import simulator
from spikebridge.contracts import LABELS
from spikebridge.errors import UsageError
from spikebridge.events import EVENT_DTYPE
from spikebridge.simulator import SimulatedCamera, simulate_clip
from spikebridge.simulator.body import draw_person
from spikebridge.simulator.camera import Recorder
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import Act, Performance, movement
from spikebridge.simulator.ranges import DEFAULT_RANGES


def rotation_in_image(events, window_us=20_000):
    """Median turn of the event cloud's centre; positive when it goes top → right → bottom in the image."""
    window = events["t"] // window_us
    centres = np.array([[events[key][window == w].mean() for key in ("x", "y")] for w in range(int(window[-1]))])
    centres -= np.median(centres, axis=0)
    a, b = centres[:-1], centres[1:]
    return np.mean(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def take(camera, n, step_us=10_000):
    return list(itertools.islice(camera.packets(step_us), n))


def test_same_seed_gives_the_same_events_and_another_seed_others():
    first, second, other = (take(SimulatedCamera(seed=s, paced=False), 40) for s in (5, 5, 6))
    assert all(np.array_equal(a.events, b.events) for a, b in zip(first, second, strict=True))
    assert any(not np.array_equal(a.events, b.events) for a, b in zip(first, other, strict=True))


def test_without_a_seed_two_cameras_differ():
    assert SimulatedCamera().seed != SimulatedCamera().seed


def test_packets_are_regular_sorted_and_inside():
    camera = SimulatedCamera("arm_roll", seed=1, paced=False)
    packets = take(camera, 250)
    for number, packet in enumerate(packets):
        assert (packet.sequence, packet.t_start_us, packet.t_stop_us) == (
            number,
            number * 10_000,
            (number + 1) * 10_000,
        )
        events = packet.events
        assert events.dtype == EVENT_DTYPE
        assert not events.flags.writeable
        assert np.all(np.diff(events["t"]) >= 0)
        assert events.size == 0 or (events["t"][0] >= packet.t_start_us and events["t"][-1] < packet.t_stop_us)
        assert np.all(events["x"] < 128)
        assert np.all(events["y"] < 128)
    assert camera.counters().read == sum(packet.events.size for packet in packets)


@pytest.mark.parametrize(("width", "height", "step_us"), [(64, 48, 1_000), (240, 180, 33_333)])
def test_other_sensors_and_steps(width, height, step_us):
    packets = take(SimulatedCamera("hand_clap", seed=3, width=width, height=height, paced=False), 30, step_us)
    events = np.concatenate([packet.events for packet in packets])
    assert packets[-1].t_stop_us == 30 * step_us
    assert events["x"].max() < width
    assert events["y"].max() < height


def test_gesture_and_pause_take_turns():
    camera, seen = SimulatedCamera("hand_clap", seed=2, paced=False), []
    for _ in itertools.islice(camera.packets(50_000), 300):
        if not seen or seen[-1] != camera.current_label:
            seen.append(camera.current_label)
    assert seen[:4] == [None, "hand_clap", None, "hand_clap"]


def test_all_gestures_come_up():
    camera, seen = SimulatedCamera(seed=2, paced=False, width=8, height=8), set()
    for _ in itertools.islice(camera.packets(200_000), 520):
        seen.add(camera.current_label)
    assert seen == {None, *LABELS}


def test_unknown_gesture_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match=r"hand_clap.*'clap'.*choose"):
        SimulatedCamera("clap")


def test_close_ends_a_paced_stream():
    camera = SimulatedCamera(seed=1)
    packets = camera.packets(10_000)
    next(packets)
    camera.close()
    camera.close()
    assert list(packets) == []


def test_a_paced_packet_is_due_when_the_time_of_its_step_is_over():
    camera, start_ns = SimulatedCamera(seed=1), time.monotonic_ns()
    packets = take(camera, 20)
    assert np.diff([packet.due_ns for packet in packets]).tolist() == [10_000_000] * 19
    assert packets[0].due_ns - start_ns >= 10_000_000
    assert all(packet.received_ns >= packet.due_ns for packet in packets)
    assert camera.counters().notes == ()


def test_late_packets_come_at_once_and_are_seen_to_be_late():
    camera = SimulatedCamera(seed=1)
    packets = camera.packets(1_000)
    first = next(packets)
    time.sleep(0.1)
    late = next(packets)
    assert late.due_ns == first.due_ns + 1_000_000
    assert late.received_ns - late.due_ns > 90_000_000
    assert camera.counters().notes == ()
    camera.close()


def test_after_a_long_pause_it_goes_on_from_the_present_and_says_so():
    camera = SimulatedCamera(seed=1)
    packets = camera.packets(1_000)
    first = next(packets)
    time.sleep(0.3)
    anew, following = next(packets), next(packets)
    assert (anew.sequence, anew.t_start_us) == (1, 1_000)
    assert anew.due_ns - first.due_ns > 290_000_000
    assert following.due_ns == anew.due_ns + 1_000_000
    assert camera.counters().notes == ("The simulated camera fell behind its pace once and went on later.",)
    camera.close()


def test_unpaced_packets_are_never_due():
    camera = SimulatedCamera(seed=1, paced=False)
    assert [packet.due_ns for packet in take(camera, 3)] == [None] * 3
    assert camera.counters().notes == ()


@pytest.mark.parametrize(("name", "other"), [("_FRAMES_AHEAD", 1), ("_FRAMES_AHEAD", 7), ("_FRAMES_AT_ONCE", 3)])
def test_how_far_ahead_it_works_changes_nothing(monkeypatch, name, other):
    """Over the onset of a gesture, in flickering light, with the label of each packet."""
    ranges = replace(DEFAULT_RANGES, flicker_share=1.0)

    def film():
        camera = SimulatedCamera("air_drums", seed=2, paced=False, width=48, height=32, ranges=ranges)
        return [
            (packet.events.tobytes(), camera.current_label) for packet in itertools.islice(camera.packets(9_000), 400)
        ]

    usual = film()
    assert {label for _, label in usual} == {None, "air_drums"}
    monkeypatch.setattr(simulator.camera, name, other)
    assert film() == usual


def test_steps_of_changing_length_go_on_where_the_last_one_stopped():
    def recorder():
        person = draw_person(np.random.default_rng(1), DEFAULT_RANGES)
        idle = Act(0.0, 0.2, None, movement("arm_roll", Performer(person, np.random.default_rng(2), DEFAULT_RANGES)))
        return Recorder(person, Performance(idle, lambda _: None), np.random.default_rng(3), DEFAULT_RANGES, 32, 32)

    whole, parts, start_us = recorder().film(0, 60_000), [], 0
    cut = recorder()
    for stop_us in (10_000, 20_000, 22_500, 25_000, 60_000):
        parts.append(cut.film(start_us, stop_us))
        start_us = stop_us
    # Noise is drawn for each step, so only its share of the events differs.
    assert sum(part.size for part in parts) == pytest.approx(whole.size, rel=0.1)
    for part, (start, stop) in zip(parts, itertools.pairwise((0, 10_000, 20_000, 22_500, 25_000, 60_000)), strict=True):
        assert part.size > 0
        assert start <= part["t"][0] <= part["t"][-1] < stop


def run(code):
    """What a process of its own prints, with this package."""
    environment = {**os.environ, "PYTHONPATH": str(Path(simulator.__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100, env=environment
    ).stdout


FIRST_PACKETS = """
import hashlib, itertools
from numba.core import event
compiled = event.RecordingListener()
event.register("numba:compile", compiled)
from spikebridge.simulator import SimulatedCamera
camera = SimulatedCamera("hand_clap", seed=11, paced=False)
packets = [packet.events for packet in itertools.islice(camera.packets(10_000), 5)]
names = sorted({str(found.data["dispatcher"].py_func.__name__) for _, found in compiled.buffer})
print(hashlib.sha256(b"".join(events.tobytes() for events in packets)).hexdigest(), names)
"""


def test_a_second_process_compiles_nothing_and_films_the_same():
    packets = take(SimulatedCamera("hand_clap", seed=11, paced=False), 5)
    expected = hashlib.sha256(b"".join(packet.events.tobytes() for packet in packets)).hexdigest()
    found = subprocess.run(
        [sys.executable, "-c", FIRST_PACKETS], capture_output=True, text=True, check=True, timeout=100
    )
    assert found.stdout.split(maxsplit=1) == [expected, "[]\n"]


def test_no_compiler_before_a_camera_is_opened():
    code = "import sys; import spikebridge.sources; print('numba' in sys.modules)"
    assert run(code) == "False\n"


@pytest.mark.parametrize("arm", ["right", "left"])
@pytest.mark.parametrize(("direction", "sign"), [("clockwise", -1), ("counter_clockwise", 1)])
def test_circles_turn_as_the_performer_sees_them(arm, direction, sign):
    turns = [rotation_in_image(simulate_clip(f"{arm}_arm_{direction}", seed, 2_000_000)[0]) for seed in range(6)]
    assert np.sum(np.sign(turns) == sign) >= 5


@pytest.mark.parametrize(("gesture", "side"), [("right_hand_wave", -1), ("left_hand_wave", 1)])
def test_the_right_arm_is_on_the_image_s_left(gesture, side):
    for seed in range(3):
        clip, _ = simulate_clip(gesture, seed, 1_000_000)
        person = draw_person(np.random.default_rng([seed, 1]), DEFAULT_RANGES)
        assert np.sign(np.mean(clip["x"].astype(float)) - person.centre_x_px) == side


def test_labels_in_time_tell_the_onset():
    events, spans = simulate_clip("air_drums", 4, 2_000_000, onset_us=800_000)
    assert [span.label for span in spans] == [None, "air_drums"] or [span.label for span in spans] == [
        None,
        None,
        "air_drums",
    ]
    assert spans[0].t_start_us == 0
    assert spans[-1].t_stop_us == 2_000_000
    assert 800_000 < spans[-1].t_start_us < 1_200_000
    before, after = (np.sum(events["t"] < 700_000) / 0.7, np.sum(events["t"] > spans[-1].t_start_us) / 1.0)
    assert after > 2 * before


def test_the_person_comes_from_their_own_seed():
    first, same, other = (simulate_clip("hand_clap", 1, 300_000, person)[0] for person in (7, 7, 8))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)

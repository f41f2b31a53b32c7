from __future__ import annotations

import numpy as np

from spikebridge.recordings.frames import Frames


def frames(*t_us: int) -> tuple[Frames[int], list[int], list[int]]:
    found: list[int] = []
    read: list[int] = []

    def places():
        for t in t_us:
            found.append(t)
            yield t, t

    def pixels(place: int):
        read.append(place)
        return None if place == 666 else np.full((2, 2), place % 256, np.uint8)

    return Frames(places(), pixels), found, read


def test_the_newest_before_a_time() -> None:
    made, _, _ = frames(10, 20, 30)
    assert made.at(10) is None
    assert [frame and frame.t_us for frame in (made.at(11), made.at(20), made.at(21), made.at(10**9), made.at(15))] == [
        10,
        10,
        20,
        30,
        10,
    ]
    frame = made.at(25)
    assert frame is not None
    assert frame.pixels.tolist() == [[20, 20], [20, 20]]
    assert not frame.pixels.flags.writeable


def test_only_as_far_as_a_time_was_asked_for_and_each_is_read_once() -> None:
    made, found, read = frames(10, 20, 30, 40)
    made.at(15)
    assert found == [10, 20]
    for _ in range(3):
        made.at(15)
    assert (found, read) == ([10, 20], [10])


def test_one_that_lies_back_in_time_is_where_its_neighbour_is() -> None:
    made, _, _ = frames(10, 30, 20, 40)
    assert [made.at(t).t_us for t in (15, 31, 35, 41)] == [10, 30, 30, 40]  # type: ignore[union-attr]


def test_without_frames_and_one_that_cannot_be_read() -> None:
    assert frames()[0].at(5) is None
    made, _, read = frames(666)
    assert (made.at(1000), made.at(1000)) == (None, None)
    assert read == [666]

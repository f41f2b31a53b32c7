from __future__ import annotations

import numpy as np
import pytest

from spikebridge.recordings import ordering
from spikebridge.recordings.states import States

SIZE = ordering.STATE_SIZE + 2


def state_of(number: int, held: int) -> np.ndarray:
    state = np.arange(SIZE, dtype=np.int64) + 1000 * number
    state[ordering.HELD] = held
    return state


def test_what_means_something_comes_back() -> None:
    states = States(SIZE)
    given = [state_of(number, held=number % 3 == 0) for number in range(300)]  # more than there is room for at first
    for state in given:
        states.append(state)
    for each in (states, States(SIZE, *states.arrays())):
        assert each.fit(300)
        for number, state in enumerate(given):
            found = each[number]
            assert found.shape == (SIZE,)
            assert np.array_equal(found[: ordering.ROOM.start], state[: ordering.ROOM.start])
            assert found[ordering.ROOM.stop :].tolist() == [1000 * number + SIZE - 2, 1000 * number + SIZE - 1]
            assert np.array_equal(found[ordering.ROOM], state[ordering.ROOM]) == (number % 3 == 0)
    assert states.arrays()[0].size == 100 * SIZE + 200 * 22


def test_a_state_is_the_callers_own() -> None:
    states = States(SIZE)
    states.append(state_of(1, held=1))
    states[0][:] = 0
    assert np.array_equal(states[0], state_of(1, held=1))


@pytest.mark.parametrize(
    ("n", "size", "ends"),
    [(2, SIZE, [22]), (1, SIZE + 1, [22]), (1, SIZE, [21]), (2, SIZE, [22, 66]), (2, SIZE, [44, 22])],
)
def test_others_do_not_fit(n: int, size: int, ends: list[int]) -> None:
    assert States(SIZE, np.zeros(44, np.int64), np.array([22, 44])).fit(2)
    assert not States(size, np.zeros(44, np.int64), np.array(ends)).fit(n)

import numpy as np

from spikebridge.simulator.body import draw_person
from spikebridge.simulator.ranges import DEFAULT_RANGES


def test_persons_differ_and_come_from_their_seed():
    people = [draw_person(np.random.default_rng(seed), DEFAULT_RANGES) for seed in (1, 1, 2)]
    assert people[0].px_per_m == people[1].px_per_m != people[2].px_per_m

"""Plans come back from JSON, of older programs too."""

from __future__ import annotations

import json
from dataclasses import asdict

from spikebridge.datasets.augmentation import Augmentation
from spikebridge.training.plan import TrainingPlan


def test_updates_are_whole_batches_and_at_least_one():
    assert TrainingPlan(windows=200, batch=64).updates == 3
    assert TrainingPlan(windows=1, batch=64).updates == 1


def test_a_plan_comes_back_from_json():
    plan = TrainingPlan(seed=4, rate=1e-2, ranges=Augmentation(haze_px=(1.0, 2.0), mirror=0.0))
    assert TrainingPlan.from_record(json.loads(json.dumps(asdict(plan)))) == plan


def test_what_an_older_program_did_not_know_has_its_default():
    found = TrainingPlan.from_record({"windows": 64, "held_out": 3, "long gone": 1})
    assert found == TrainingPlan(windows=64, held_out=3)

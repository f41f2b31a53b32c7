"""Minutes without a gesture; runs without torch."""

from __future__ import annotations

from spikebridge.datasets.quiet_minutes import KINDS, write_quiet
from spikebridge.evaluation.cases import read_cases


def test_somebody_who_walks_in_makes_more_events_than_one_who_stands(tmp_path):
    write_quiet(tmp_path, 0.01)
    events = {}
    for kind in KINDS:
        (case,) = read_cases(tmp_path / kind)
        assert case.t_stop_us == 4_000_000
        events[kind] = case.events.size
    assert events["walking in"] > events["still"] > 0

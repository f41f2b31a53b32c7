from __future__ import annotations

from pathlib import Path

from prophesee_files import dat
from recording_files import write
from spikebridge.events import make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.extent import size_of_events


def test_the_size_that_holds_all_events(tmp_path: Path) -> None:
    content = dat(make_events(range(100), [*range(99), 3], [5] * 99 + [17], [1] * 100))
    assert size_of_events(open_recording(write(tmp_path, content, "a.dat"))) == (99, 18)

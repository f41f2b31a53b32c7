"""Records any source to AEDAT4, with labels beside it where they are known."""

from __future__ import annotations

from collections.abc import Callable

from spikebridge.contracts import Performing, RecordingStatus, Source
from spikebridge.errors import InputError, StageError
from spikebridge.sources.tape import Tape

STEP_US = 10_000


def record(
    source: Source,
    tape: Tape,
    duration_us: int | None = None,
    on_step: Callable[[RecordingStatus], bool] = lambda _: True,
) -> RecordingStatus:
    """Puts the source on ``tape`` while it goes on, and closes the tape: whatever ends it, what was recorded is whole.

    duration_us : ends it after so long on the camera's clock; else the end of the source does. on_step : hears of each
    step, and says whether to go on.

    Raises InputError when there were no events, StageError when the files could not be written to the end, and the
    source's own error.
    """
    try:
        for packet in source.packets(STEP_US):
            tape.put(packet, source.current_label if isinstance(source, Performing) else None)
            status = tape.status()
            if not (status.running and on_step(status)):
                break
            if duration_us is not None and status.duration_us >= duration_us:
                break
    finally:
        tape.close()
    status = tape.status()
    if status.problem:
        raise StageError("recording", status.problem)
    if not status.events:
        raise InputError(f"expected events from {source.info.uri}, found none; is something moving before it?")
    return status

"""Round numbers of a training, for what is written of it."""

from __future__ import annotations

from spikebridge.contracts import LABELS
from spikebridge.training.checkpoint import TrainingRecord
from spikebridge.training.contract import ValidationFigures
from spikebridge.training.curves import Progress
from spikebridge.training.plan import TrainingPlan

RECORD = TrainingRecord(
    plan=TrainingPlan(windows=640, seed=3),
    progress=Progress(10, 640, 1.5, 0.9, 0.85, 0.95, 1200.0, 250.0, 3540.0),
    persons=9,
    clips=99,
    data="simulated camera",
)
FIGURES = ValidationFigures(
    temperature=1.25,
    threshold=0.55,
    persons=2,
    clips=24,
    window=0.9,
    streaming=0.85,
    clip=0.95,
    calibration_error=0.02,
    spikes_per_window=1234.5,
    confusion=[[5 * (row == column) for column in range(len(LABELS))] for row in range(len(LABELS))],
)

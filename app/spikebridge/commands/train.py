"""The command ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from spikebridge.commands.progress_bar import progress_bar, say
from spikebridge.commands.reading import read_reading, reading_options
from spikebridge.errors import UsageError

if TYPE_CHECKING:
    from typing import Unpack


class TrainOptions(TypedDict):
    """By the names of ``TrainingSettings``."""

    fine_tune: str | None
    spiking_from: str | None
    freeze_spiking: bool
    windows: int | None
    interval: int | None
    steps: int | None
    step_us: int | None
    width: int | None
    seed: int
    spike_cost: float
    patience: int
    bundle: Path | None
    resume: bool
    device: str
    threads: int


@click.command()
@click.argument("names", nargs=-1, metavar="[NETWORK] DATA OUT")
@click.option("--fine-tune", default=None, help="Start from this bundle or checkpoint instead of NETWORK.")
@click.option("--spiking-from", default=None, help="Begin with the spiking convolutions of this bundle or checkpoint.")
@click.option("--freeze-spiking", is_flag=True, help="Train the ordinary part alone.")
@click.option("--windows", type=click.IntRange(1), help="Training windows in all; default: 400000, fine-tuning 20000.")
@click.option("--interval", type=click.IntRange(1), help="I of the accumulator, steps; default: 4.")
@click.option("--steps", type=click.IntRange(1), help="T of the accumulator, steps; default: 16.")
@click.option("--step-us", type=click.IntRange(100), help="Length of a step; default: 10000.")
@click.option("--width", type=click.IntRange(1), help="Channels of the ordinary layers times this; default: 1.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--spike-cost", type=click.FloatRange(0), default=0.5, show_default=True, help="Price of a spike.")
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="End after so many reports without a better one.",
)
@click.option("--bundle", type=click.Path(path_type=Path, file_okay=False), help="Write the best as a bundle here.")
@click.option("--resume", is_flag=True, help="Go on in OUT where a training was interrupted.")
@click.option("--device", default="auto", show_default=True, help="Of the ordinary layers: cpu, cuda or cuda:<number>.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch on the CPU.")
@reading_options
def train(
    names: tuple[str, ...],
    sensor: str | None,
    columns: str | None,
    time_unit: str | None,
    **options: Unpack[TrainOptions],
) -> None:
    """Train NETWORK (ann, s1a5 … s6a0, snn) on DATA; OUT gets best.npz, last.npz and curves.csv.

    DATA is a set made by 'simulate'; or 'sim:' to simulate while it trains; or a folder of recordings with labels
    beside them, as 'record' makes them; or the folder of DVS128 Gesture as IBM distributes it, on whose test subjects
    the bundle is then evaluated. With --fine-tune there is no NETWORK.

    Under torchrun several processes share the work: torchrun --nproc-per-node 2 -m spikebridge train …
    """
    tuned = options["fine_tune"] is not None
    if len(names) != (2 if tuned else 3):
        expected = "DATA and OUT behind --fine-tune" if tuned else "NETWORK, DATA and OUT"
        raise UsageError(f"expected {expected}, found {' '.join(names) or 'nothing'}; see 'spikebridge train --help'.")
    if tuned and options["spiking_from"]:
        raise UsageError("expected --fine-tune or --spiking-from, found both; the first takes over all layers.")
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.training.training_run import TrainingSettings, run_training

    *network, data, out = names
    read = read_reading({"sensor": sensor, "columns": columns, "time_unit": time_unit})
    settings = TrainingSettings(network[0] if network else None, data, Path(out), read=read, **options)
    run_training(settings, say, progress_bar)

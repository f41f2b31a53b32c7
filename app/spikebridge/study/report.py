"""The study on disk: JSON, CSV, figures as SVG, and one HTML page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikebridge.evaluation.charts import require_matplotlib
from spikebridge.evaluation.html_page import command, figure, heading, page, sentence, share, table
from spikebridge.evaluation.report_page import accuracy_table, observation_figure
from spikebridge.files import make_folder, write_whole
from spikebridge.study.paper_figures import FIGURES
from spikebridge.study.published import ACCURACY, ACCURACY_SOURCE, SYSTEMS
from spikebridge.study.results import About, CellResult, Study, is_control, read_study, through_the_chain
from spikebridge.study.tables import COLUMNS, Row, Setting, as_csv, row_of, settings_of


def write_results(folder: Path, results: Sequence[CellResult], about: About) -> list[str]:
    """Writes everything that there is so far; returns one line for each cell."""
    require_matplotlib()
    rows = [row_of(result) for result in results]
    settings = settings_of([row for row, result in zip(rows, results, strict=True) if not is_control(result)])
    study: Study = {"about": about, "columns": COLUMNS, "cells": list(results)}
    drawn = {name: draw(settings) for name, (draw, _) in FIGURES.items()} if settings else {}
    make_folder(folder)
    write_whole(folder / "results.json", json.dumps(study))
    write_whole(folder / "results.csv", as_csv(rows))
    for name, svg in drawn.items():
        write_whole(folder / f"{name}.svg", svg + "\n")
    figures = {name: figure(svg, FIGURES[name][1]) for name, svg in drawn.items()}
    write_whole(
        folder / "report.html", page("Hybrid networks, remade", _parts(results, rows, settings, figures, about))
    )
    return [_line(result) for result in results]


def _line(result: CellResult) -> str:
    found = result["summary"]
    windows, clips = found["window_accuracy"]["value"], found["clip_accuracy"]["value"]
    return f"{result['name']}: windows {windows or 0.0:.3f}, clips {clips or 0.0:.3f}"


def rewrite_results(folder: Path) -> None:
    """Writes tables, figures and page again from the ``results.json`` in ``folder``, without training anything."""
    study = read_study(folder / "results.json")
    write_results(folder, study["cells"], study["about"])


def _parts(
    results: Sequence[CellResult],
    rows: Sequence[Row],
    settings: Sequence[Setting],
    figures: dict[str, str],
    about: About,
) -> Iterator[str]:
    seeds = sorted({result["cell"]["seed"] for result in results})
    yield sentence(
        f"Every network was trained on {about['windows']:,} windows of T = {about['steps']} steps of "
        f"{about['step_us'] / 1000:g} ms with the same data, augmentation, optimiser and schedule, and the best of its "
        "reports on validation persons was kept. The budget is short and the same for all: the networks are compared, "
        "none of them is at its best. A pure SNN is trained once for all intervals, since its last part adds the "
        f"intervals up again. Seeds: {', '.join(map(str, seeds))}. Trained on {about['data']}; measured on persons who "
        f"were never trained or validated on ({about['test']})."
    )
    yield command(about["command"])
    yield sentence(
        "Host times are measured on this machine, where the emulator stands for Loihi. Loihi's times and energies are "
        "estimated by a cost model from counted activity, energies of the host from measured time and assumed watts; "
        "estimates are hatched. Nothing here was measured on Loihi or on a Jetson."
    )
    if not settings:
        yield sentence("No cell is done yet.")
        return
    yield heading("Accuracy")
    yield figures["figure-4-accuracy"]
    yield _accuracy_table(settings)
    yield sentence(f"Published: {ACCURACY_SOURCE}. Their data are real recordings, ours are not: compare the order.")
    yield from _best_intervals(results, settings)
    for name, words in (("latency", "Latency"), ("power", "Power"), ("energy", "Energy"), ("bytes", "The bridge")):
        yield heading(words)
        yield from (figures[key] for key in FIGURES if name in key)
    yield heading("Controls")
    yield from _controls(rows)
    yield heading("All cells")
    yield table(list(COLUMNS), [[row[column] for column in COLUMNS] for row in rows])
    yield table(("column", "meaning"), COLUMNS.items())
    yield heading("Other systems on DVS128 Gesture")
    yield sentence("As their authors state them, on real recordings.")
    yield table(("system", "accuracy", "latency", "power, energy"), SYSTEMS)


def _accuracy_table(settings: Sequence[Setting]) -> str:
    rows = [
        (
            *(setting.network, setting.interval),
            share(setting.mean("window_accuracy"), setting.range("window")),
            share(setting.mean("clip_accuracy"), setting.range("clip")),
            share(setting.mean("stream_accuracy")),
            share(ACCURACY.get((setting.network, setting.interval))),
            setting.mean("parameters"),
        )
        for setting in settings
    ]
    return table(("network", "I", "windows", "clips", "streaming decisions", "published, windows", "parameters"), rows)


def _best_intervals(results: Sequence[CellResult], settings: Sequence[Setting]) -> Iterator[str]:
    """Each network with the interval that is best on its windows."""
    done = {result["name"]: summary for result in results if (summary := through_the_chain(result)) is not None}
    ranked = sorted(settings, key=lambda setting: setting.mean("window_accuracy") or 0.0)
    best = {setting.network: str(setting.rows[0]["name"]) for setting in ranked}
    chosen = {network: done[name] for network, name in sorted(best.items())}
    yield sentence("Each network with its best interval:")
    yield accuracy_table(chosen)
    yield observation_figure(chosen)


def _controls(rows: Sequence[Row]) -> Iterator[str]:
    """Controls beside the networks that they take something from."""
    controls = [row for row in rows if row["control"] != "none"]
    if not controls:
        yield sentence("None were asked for.")
        return
    sized = "sized like "
    like = {str(row["control"]).removeprefix(sized) for row in controls if str(row["control"]).startswith(sized)}
    names = like | {row["network"] for row in controls} | {"ann"}
    intervals = {row["interval"] for row in controls}
    beside = [r for r in rows if r["control"] == "none" and r["network"] in names and r["interval"] in intervals]
    yield sentence(
        "shuffled: trained and measured with the steps of each window in another order. accumulated: trained and "
        "measured with the events summed up before the spiking layers. sized like: an ordinary network whose head is "
        "widened until it has as many parameters."
    )
    yield table(
        ("cell", "control", "parameters", "windows", "clips"),
        [
            (*(row[name] for name in ("name", "control", "parameters")), *map(_in_percent, _accuracies(row)))
            for row in (*beside, *controls)
        ],
    )


def _accuracies(row: Row) -> tuple[object, object]:
    return row["window_accuracy"], row["clip_accuracy"]


def _in_percent(value: object) -> str:
    return share(value if isinstance(value, float) else None)

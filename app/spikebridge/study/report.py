"""Results of a study on disk: JSON, CSV, figures as SVG and one HTML page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikebridge.evaluation.html_page import command, figure, heading, page, sentence, share, table, write_page
from spikebridge.evaluation.report_page import accuracy_table, observation_figure
from spikebridge.study.cells import Cell, Folders
from spikebridge.study.grid import read_results
from spikebridge.study.paper_figures import FIGURES
from spikebridge.study.published import ACCURACY, ACCURACY_SOURCE, SYSTEMS
from spikebridge.study.tables import COLUMNS, Setting, as_csv, result_is_control, row_of, settings_of


def write_results(folder: Path, folders: Folders, cells: Sequence[Cell], about: dict[str, Any]) -> list[str]:
    """Writes everything that is there so far; returns one line for each cell that is done."""
    results = read_results(folders, cells)
    rows = [row_of(result) for result in results]
    settings = settings_of([row for row, result in zip(rows, results, strict=True) if not result_is_control(result)])
    write_page(folder / "results.json", json.dumps({"about": about, "columns": COLUMNS, "cells": results}))
    write_page(folder / "results.csv", as_csv(rows))
    for name, (draw, _) in FIGURES.items():
        if settings:
            write_page(folder / f"{name}.svg", draw(settings))
    write_page(folder / "report.html", page("Hybrid networks, remade", _parts(results, rows, settings, about)))
    return [f"{r['name']}: windows {r['window_accuracy']:.3f}, clips {r['clip_accuracy']:.3f}" for r in rows]


def _parts(
    results: list[dict[str, Any]], rows: list[dict[str, Any]], settings: list[Setting], about: dict[str, Any]
) -> Iterator[str]:
    seeds = sorted({row["seed"] for row in rows})
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
    yield _figure("figure-4-accuracy", settings)
    yield _accuracy_table(settings)
    yield sentence(f"Published: {ACCURACY_SOURCE}. Their data are real recordings, ours are not: compare the order.")
    done = {result["name"]: result["summary"] for result in results if not result_is_control(result)}
    best = {
        setting.network: setting.rows[0]["name"] for setting in sorted(settings, key=lambda s: s["window_accuracy"])
    }
    chosen = {network: done[name] for network, name in sorted(best.items())}
    yield sentence("Each network with its best interval:")
    yield accuracy_table(chosen)
    yield observation_figure(chosen)
    for name, words in (("latency", "Latency"), ("power", "Power"), ("energy", "Energy"), ("bytes", "The bridge")):
        yield heading(words)
        for key in FIGURES:
            if name in key:
                yield _figure(key, settings)
    yield heading("Controls")
    yield _controls_table(rows)
    yield heading("All cells")
    yield table(list(COLUMNS), [[row[column] for column in COLUMNS] for row in rows])
    yield table(("column", "meaning"), COLUMNS.items())
    yield heading("Other systems on DVS128 Gesture")
    yield sentence("As their authors state them, on real recordings.")
    yield table(("system", "accuracy", "latency", "power, energy"), SYSTEMS)


def _figure(name: str, settings: list[Setting]) -> str:
    draw, caption = FIGURES[name]
    return figure(draw(settings), caption)


def _accuracy_table(settings: list[Setting]) -> str:
    rows = []
    for setting in settings:
        published = ACCURACY.get((setting.network, setting.interval))
        rows.append(
            (
                *(setting.network, setting.interval),
                share(setting["window_accuracy"], setting.range("window")),
                share(setting["clip_accuracy"], setting.range("clip")),
                share(setting["stream_accuracy"]),
                share(published),
                setting["parameters"],
            )
        )
    return table(("network", "I", "windows", "clips", "streaming decisions", "published, windows", "parameters"), rows)


def _controls_table(rows: list[dict[str, Any]]) -> str:
    """Controls beside the network that they take something from."""
    controls = [row for row in rows if row["control"] != "none"]
    if not controls:
        return sentence("None were asked for.")
    like = {row["control"].removeprefix("sized like ") for row in controls if row["control"].startswith("sized")}
    names = like | {row["network"] for row in controls if not row["control"].startswith("sized")}
    beside = [r for r in rows if r["control"] == "none" and r["network"] in names | {"ann"}]
    shown = [r for r in beside if r["interval"] in {row["interval"] for row in controls}] + controls
    text = sentence(
        "shuffled: trained and measured with the steps of each window in another order. accumulated: trained and "
        "measured with the events summed up before the spiking layers. sized like: an ordinary network whose head is "
        "widened until it has as many parameters."
    )
    return text + table(
        ("cell", "control", "parameters", "windows", "clips"),
        [
            (r["name"], r["control"], r["parameters"], share(r["window_accuracy"]), share(r["clip_accuracy"]))
            for r in shown
        ],
    )

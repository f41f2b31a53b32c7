"""``card`` as a user calls it: what was measured of a bundle gets into its card, and into nothing else."""

from __future__ import annotations

import shutil

import pytest

from calling import call
from spikebridge.commands.card import card
from spikebridge.commands.evaluate import evaluate
from spikebridge.commands.realism import realism
from spikebridge.commands.simulate import simulate
from spikebridge.errors import InputError
from spikebridge.resources import models_folder


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A bundle of one's own, and what was measured of it on a few simulated clips."""
    folder = tmp_path_factory.mktemp("measured")
    shutil.copytree(models_folder() / "s2a4-stream", folder / "bundle")
    call(simulate, folder / "set", "--persons", 3, "--clips", 3, "--seconds", 0.8, "--workers", 1)
    run = call(evaluate, folder / "set", "--model", folder / "bundle", "--quiet-minutes", 0.05, "--json")
    (folder / "report.json").write_text(run.stdout)
    (folder / "realism.md").write_text(call(realism, folder / "set", folder / "set").stdout)
    return folder


def options(folder):
    return (folder / "bundle", "--recordings", folder / "report.json", "--persons", folder / "report.json")


def test_the_card_holds_what_was_measured(measured):
    path = measured / "bundle/README.md"
    call(card, *options(measured), "--realism", measured / "realism.md", "--about-persons", "Three of them.")
    text = path.read_text()
    assert text.count("## Real recordings") == text.count("## The simulated camera") == text.count("Licence:") == 1
    assert "3 persons, " in text
    assert "Three of them." in text
    assert "| false gestures a minute, walking in |" in text
    assert "Loihi 1, estimated, for a streaming decision" in text
    call(card, *options(measured), "--realism", measured / "realism.md", "--about-persons", "Three of them.")
    assert path.read_text() == text
    call(card, *options(measured)[:3])
    assert "## The simulated camera" not in path.read_text()


def test_other_files_are_named(measured, tmp_path):
    (tmp_path / "README.md").write_text("# Notes\n")
    refused = call(card, tmp_path, *options(measured)[1:], fails=InputError)
    assert "expected a model card written by 'export'" in str(refused.exception)
    assert (tmp_path / "README.md").read_text() == "# Notes\n"
    wrong = call(card, measured / "bundle", "--recordings", measured / "realism.md", fails=InputError)
    assert "evaluate --json" in str(wrong.exception)
    (tmp_path / "empty").mkdir()
    assert (
        "no such file"
        in str(call(card, tmp_path / "empty", *options(measured)[1:], fails=InputError).exception).lower()
    )

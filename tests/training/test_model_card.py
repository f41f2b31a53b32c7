"""The model card of a bundle says what it is and where it comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from standin_figures import FIGURES, RECORD  # noqa: E402

from spikebridge.evaluation.card_sections import HEADING, rewrite_card  # noqa: E402
from spikebridge.training.contract import BundleText  # noqa: E402
from spikebridge.training.model_card import write_card  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name  # noqa: E402


def card(tmp_path, spec=None, record=RECORD, text=None) -> str:
    path = tmp_path / "README.md"
    write_card(path, HybridNetwork(spec or NetworkSpec(2)), FIGURES, record, text or BundleText("Title"))
    return path.read_text()


def test_network_and_figures(tmp_path):
    text = card(tmp_path, text=BundleText("Title", notes=("By night.",)))
    assert text.startswith("# Title\n\nNetwork s2a4: 2 spiking and 4 ordinary convolutions, an ordinary head, ")
    assert "T = 16 steps of 10 ms, I = 4." in text
    assert "- 99 clips of 9 simulated persons, every 8th validated on; no real recording was used." in text
    assert "- 640 windows, seed 3. Command: `spikebridge train s2a4" in text
    assert "- By night." in text
    assert "| 160 ms windows from reset | 0.900 |" in text
    assert "| 0 hand_clap | 5 | 0 |" in text
    assert "minutes" not in text


def test_what_differs_for_others(tmp_path):
    pure = card(tmp_path, parse_name("snn"))
    assert "a spiking head whose output spikes are counted" in pure
    ordinary = card(tmp_path, NetworkSpec(0))
    assert "bit for bit" not in ordinary
    wide = card(tmp_path, NetworkSpec(2, width=2))
    assert "4 ordinary convolutions of 32, 64, 128, 128 channels" in wide
    tuned = replace(RECORD, data="own recordings", plan=replace(RECORD.plan, initial="s2a4-stream", held_out=3))
    text = card(tmp_path, record=tuned)
    assert "- Fine-tuned from `s2a4-stream`." in text
    assert "every 3rd validated on" in text
    assert "no real recording" not in text
    alone = card(tmp_path, record=replace(RECORD, persons=1))
    assert "clips of one person (simulated camera), the last of every four of a class validated on" in alone


def test_the_part_on_others_is_filled_in_later(tmp_path):
    assert f"{HEADING}\n- Not measured yet." in card(tmp_path)
    rewrite_card(tmp_path / "README.md", [[HEADING, "Measured."]])
    assert "Not measured yet" not in (tmp_path / "README.md").read_text()
    assert "- once" in card(tmp_path, text=BundleText("Title", gate=("- once",)))

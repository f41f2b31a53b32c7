"""Reports as Markdown, and where in a card they go."""

from __future__ import annotations

import pytest

from spikebridge.errors import InputError
from spikebridge.evaluation.card_sections import (
    HEADING,
    persons_section,
    realism_section,
    recordings_section,
    rewrite_card,
)
from standin_reports import report


def test_recordings_say_what_each_clip_was_named():
    lines = recordings_section(report(), ["Looked at once."])
    assert lines[0] == HEADING
    assert "| a | hand clap | 3 of 4 | hand clap 75%, nothing 25% | 0.20 |" in lines
    # A clip that was named wrongly stands out.
    assert "| b c | **hand clap** | 1 of 4 | other 100% | 0.70 |" in lines
    assert lines[-1] == "\nLooked at once."


def test_persons_have_shares_with_intervals_and_costs_with_units():
    rows = {line.split(" | ")[0]: line for line in persons_section(report(), [])}
    assert rows["| 160 ms windows"] == "| 160 ms windows | 0.750 (0.600–0.900) |"
    assert rows["| clips"] == "| clips | – |"
    assert rows["| onset to the first right decision, median / 90 %"].endswith("| 120 / – ms (1 of 5 never) |")
    assert rows["| spikes for a window / a streaming decision"].endswith("| 1800 / 110 |")
    assert rows["| bytes across the bridge for a window: bitmap / address-event / counts"].endswith(
        "| 16384 / 900 / 32768 |"
    )
    # 0.0217 mJ is 21.7 µJ.
    assert rows["| Loihi 1, estimated, for a window: dynamic / static"].endswith("| 21.7 µJ / 40.8 mJ |")
    assert rows["| false gestures a minute, walking in"].endswith("| 2.5 in 4 min |")


def test_an_ordinary_network_has_no_spikes():
    plain = report(spiking=False)
    assert not any("Loihi" in line or "spikes" in line for line in persons_section(plain, []))


def test_a_card_gets_the_sections_in_place_of_the_old_ones(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"# Net\n\n## Training\n- x\n\n{HEADING}\n- Not measured yet.\n\nLicence: GPL.\n")
    rewrite_card(path, [[HEADING, "new"], realism_section("| t |\n", ["note"])])
    text = path.read_text()
    assert "Not measured yet" not in text
    assert text.startswith("# Net\n\n## Training\n- x\n\n## Real recordings")
    assert text.endswith("| t |\n\nnote\n\nLicence: GPL.\n")
    (tmp_path / "notes.md").write_text("# Notes\n")
    with pytest.raises(InputError, match="expected a model card written by 'export'"):
        rewrite_card(tmp_path / "notes.md", [])

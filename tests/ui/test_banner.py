from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QWidget

from spikebridge.ui.banner import Banner


@pytest.fixture
def banner(application):
    parent = QWidget()
    parent.resize(900, 500)
    yield Banner(parent)
    parent.deleteLater()


def test_notes_wait_for_each_other(banner):
    banner.show_note("first.")
    banner.show_note("second.")
    banner.show_note("third.")
    assert banner.words == "First."
    banner.dismiss()
    assert banner.words == "Second."
    banner.dismiss()
    banner.dismiss()
    assert banner.words == ""


def test_a_note_goes_by_itself(banner, until, monkeypatch):
    monkeypatch.setattr("spikebridge.ui.banner._NOTE_MS", 30)
    banner.show_note("a note.")
    banner.show_note("another.")
    assert banner.words == "A note."
    until(lambda: banner.words == "Another.")
    until(lambda: not banner.words)


def test_an_error_stays_and_no_note_is_lost_by_it(banner, until, monkeypatch):
    monkeypatch.setattr("spikebridge.ui.banner._NOTE_MS", 30)
    banner.show_note("a note.")
    banner.show_error("broken S2A4.")
    banner.show_note("another.")
    assert banner.words == "Broken S2A4."
    assert not banner._going.isActive()
    banner.dismiss()
    assert banner.words == "A note."
    until(lambda: banner.words == "Another.")
    until(lambda: not banner.words)


def test_clearing_leaves_nothing(banner):
    banner.show_error("broken.")
    banner.show_note("a note.")
    banner.clear()
    assert banner.words == ""


def test_it_lies_below_the_header_as_wide_as_the_window(banner):
    banner.top_px, banner.margin_px = 60, 16
    banner.show_error("a sentence " * 60)
    assert (banner.x(), banner.y(), banner.width()) == (16, 60, 868)
    high = banner.height()
    banner.show_error("short.")
    assert banner.height() < high

"""Marks from standard input."""

from __future__ import annotations

import io
import os
import sys

import pytest

from spikebridge.terminal.marks import MarkLines


@pytest.fixture
def typed(monkeypatch):
    """What is written to it comes from standard input."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as lines, os.fdopen(writer, "wb", 0) as keyboard:
        monkeypatch.setattr(sys, "stdin", lines)
        yield keyboard


def test_names_numbers_and_the_end(typed):
    marked, said = [], []
    marks = MarkLines(marked.append, said.append)
    marks.look()
    assert marked == []
    typed.write(b"arm_roll\n11\n")
    marks.look()
    assert marked == ["arm_roll", "other"]
    typed.write(b"\nhand_")
    marks.look()
    assert marked[2:] == [None]
    typed.write(b"clap\n")
    marks.look()
    assert marked[3:] == ["hand_clap"]
    assert said == ["marked: arm_roll", "marked: other", "mark ended", "marked: hand_clap"]


@pytest.mark.parametrize("line", [b"wave\n", b"0\n", b"12\n", b"\xff\n", "¹\n".encode(), b"-1\n"])
def test_what_is_no_label_marks_nothing(typed, line):
    marked, said = [], []
    marks = MarkLines(marked.append, said.append)
    typed.write(line)
    marks.look()
    assert marked == []
    assert "nothing was marked" in said[0]


def test_an_input_that_ends_or_is_none(typed, monkeypatch):
    marked = []
    marks = MarkLines(marked.append, marked.append)
    typed.write(b"1")
    typed.close()
    for _ in range(3):
        marks.look()
    assert marked == []
    for nothing in (None, io.StringIO("1\n")):
        monkeypatch.setattr(sys, "stdin", nothing)
        MarkLines(marked.append, marked.append).look()
    assert marked == []


def test_a_terminal_of_others_is_left_alone(typed, monkeypatch):
    """A process in the background that reads from it is stopped."""
    marked = []
    typed.write(b"1\n")
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
    marks = MarkLines(marked.append, lambda _: None)
    marks.look()
    assert marked == []
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    marks.look()
    assert marked == ["hand_clap"]

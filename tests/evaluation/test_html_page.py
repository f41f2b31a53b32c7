"""A page that opens offline and shows what it is given."""

from __future__ import annotations

from spikebridge.evaluation.html_page import command, figure, heading, page, sentence, share, table


def test_words_are_escaped_and_nothing_is_loaded():
    parts = [heading("a < b"), sentence("c & d"), command("run <x>"), figure("<svg/>", "e > f")]
    text = page("<Title>", parts)
    assert "<title>&lt;Title&gt;</title>" in text
    for shown in ("a &lt; b", "c &amp; d", "run &lt;x&gt;", "<figure><svg/>", "e &gt; f"):
        assert shown in text
    assert "http" not in text
    assert "<script" not in text


def test_numbers_have_four_digits_and_nothing_is_a_dash():
    text = table(("name", "n"), [("a", 0.123456), ("b", 12345.6), ("c", 12345), ("d", None)])
    assert [cell in text for cell in (">0.1235<", ">12,346<", ">12,345<", ">–<")] == [True] * 4
    assert text.count("class='words'") == 5  # the column of names, its head included


def test_shares_are_in_per_cent():
    assert share(0.8836) == "88.4 %"
    assert share(0.5, [0.25, 0.755]) == "50.0 % (25.0–75.5)"
    assert share(None) == "–"

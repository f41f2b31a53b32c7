"""Single values for people."""

from __future__ import annotations

import pytest

from spikebridge.terminal.values import energy_text, figure_text


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.0123456, "0.0123"), (6.789, "6.79"), (99.94, "99.9"), (99.96, "100"), (100, "100"), (999.6, "1,000"),
     (12_345.6, "12,346")],
)  # fmt: skip
def test_a_figure_has_three_digits_and_is_whole_from_a_hundred_on(value: float, words: str) -> None:
    assert figure_text(value) == words


@pytest.mark.parametrize(
    ("mj", "words"),
    [
        *((12_345_678, "12,346 J"), (1000, "1 J"), (999.9, "1,000 mJ"), (2, "2 mJ"), (1, "1 mJ"), (0.9999, "1,000 µJ")),
        *((0.12345, "123 µJ"), (1e-3, "1 µJ"), (0.9996e-3, "1,000 nJ"), (1.234e-4, "123 nJ"), (2e-9, "0.002 nJ")),
        *((1.2249995e-4, "122 nJ"), (0, "0 nJ")),
    ],
)
def test_an_energy_has_the_unit_that_reads_best(mj: float, words: str) -> None:
    assert energy_text(mj) == words

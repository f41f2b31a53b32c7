"""A divergence is named by its first step, lowest layer and what is computed first, with both values."""

from __future__ import annotations

import numpy as np
import pytest
from comparison import cut, digest, divergence_from_digest, emulate, first_divergence
from random_networks import Case, random_case
from reference import refer

CASE = random_case(8)


def altered(case: Case, *changes: tuple[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    run = {name: values.copy() for name, values in emulate(case).items()}
    for name, place in changes:
        run[name][place] += 7
    return run


def test_equal_runs() -> None:
    run = emulate(CASE)
    assert first_divergence(run, altered(CASE)) is None
    assert divergence_from_digest(CASE, digest(run), run) is None


def test_layer_neuron_step_expected_and_found() -> None:
    run = emulate(CASE)
    found = altered(CASE, ("v1", (5, 0, 0, 0)), ("u1", (5, 0, 0, 0)), ("u0", (6, 0, 0, 0)), ("spikes", (5, 0, 0, 0)))
    wanted = int(run["u1"][5, 0, 0, 0])
    text = f"layer 1, neuron (0, 0, 0), step 5: expected current {wanted}, found {wanted + 7}"
    assert first_divergence(run, found) == text
    assert divergence_from_digest(CASE, digest(run), found) == text


def test_a_lower_layer_of_the_same_step_comes_first() -> None:
    found = altered(CASE, ("u1", (5, 0, 0, 0)), ("v0", (5, 0, 0, 1)))
    assert str(first_divergence(emulate(CASE), found)).startswith("layer 0, neuron (0, 0, 1), step 5: expected voltage")


def test_a_digest_that_nothing_explains() -> None:
    assert "both differ" in str(divergence_from_digest(CASE, "0", emulate(CASE)))


@pytest.mark.parametrize("change", [lambda run: cut(run, 3), lambda run: {"spikes": run["spikes"]}])
def test_runs_of_other_length_or_layers_are_not_equal(change) -> None:
    run = refer(CASE.network, CASE.counts, CASE.graded)
    assert "expected" in str(first_divergence(run, change(run)))

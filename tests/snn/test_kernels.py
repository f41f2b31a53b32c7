"""The inner loops: spikes that are sent and windows that are looked up give the same, on any processor."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from comparison import Run, digest, emulate, first_divergence
from random_networks import Case, random_case
from reference import refer

from spikebridge.snn import Conv, Emulator, Network, Neuron, layout, windows
from spikebridge.snn.bench import paper_network
from spikebridge.snn.kernels import step as step_module
from spikebridge.snn.layout import _division, lay_out
from spikebridge.snn.windows import has_windows

KERNELS = Path(sys.modules[step_module.__module__].__file__ or "").parent


def window_case(seed: int) -> Case:
    """Convolutions of any geometry whose inputs can be looked up, one behind the other, and binary input."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.choice([1, 2, 4])), int(rng.integers(4, 12)), 8 * int(rng.integers(1, 3)))
    layers: list[Conv] = []
    current = shape
    while len(layers) < 3:
        channels = int(rng.choice([4, 8, 16]))
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        padding = (int(rng.integers(0, 6)), int(rng.integers(0, 6)))
        if min(current[1] + 2 * padding[0] - kernel[0], current[2] + 2 * padding[1] - kernel[1]) < 0:
            continue
        weight = 2 * rng.integers(-60, 70, (channels, current[0], *kernel))
        neuron = Neuron(int(rng.integers(400, 3500)), int(rng.integers(200, 3500)), int(rng.integers(20, 400)))
        bias = rng.integers(-40, 40, channels) if rng.random() < 0.3 else None
        layers.append(Conv(f"{len(layers)}", weight, neuron, bias, stride, padding))
        current = layers[-1].output_shape(current)
    counts = (rng.random((10, *shape)) < rng.choice([0.02, 0.2, 0.7])).astype(np.uint8)
    return Case(f"{seed}", Network(shape, tuple(layers)), counts, True)


#: Look-ups that take the time of one spike, for a network that always looks up.
ALWAYS = 1 << 40


def looked_up(case: Case) -> int:
    """Layers whose inputs can be looked up."""
    return int((lay_out(case.network).plan["windows"]["lanes"] > 0).sum())


def both_ways(case: Case, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Run]:
    runs, activities = [], []
    for sent in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(windows, "_PER_SPIKE", ALWAYS)
            if sent:
                patched.setattr(layout, "has_windows", lambda *_: False)
            runs.append(emulate(case))
            emulator = Emulator(case.network)
            for counts in case.counts:
                emulator.step(counts)
            activities.append(emulator.activity())
    assert activities[0] == activities[1]
    return runs[0], runs[1]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_looking_up_equals_sending_and_the_reference(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = 0
    for seed in range(first, first + 20):
        case = window_case(seed)
        looked, sent = both_ways(case, monkeypatch)
        assert first_divergence(refer(case.network, case.counts, True), looked) is None, f"network {seed}"
        assert first_divergence(looked, sent) is None, f"network {seed}"
        layers += looked_up(case)
    assert layers > 20


def test_the_paper_s_layers_equal_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    network = paper_network(4)
    counts = (np.random.default_rng(0).random((8, 2, 128, 128)) < 0.2).astype(np.uint8)
    case = Case("S4", network, counts, True)
    looked, sent = both_ways(case, monkeypatch)
    assert first_divergence(looked, sent) is None
    assert looked["spikes"].any()
    assert looked_up(case) == 3  # a window of the fourth has 3 * 16 bits for 32 outputs


def test_the_switch_follows_the_number_of_spikes() -> None:
    """S3's first layer: 64 rows of 32 windows, each of three rows of bits, at five look-ups a spike."""
    network = paper_network(3)
    assert lay_out(network).plan["windows"]["spikes_from"].tolist() == [
        64 * 32 * 3 // 5,
        32 * 32 * 3 * 2 // 5,
        16 * 16 * 3 * 4 // 5,
    ]
    rng = np.random.default_rng(1)
    for n in (1227, 1228, 1229):
        counts = np.zeros((2, *network.input_shape), np.uint8)
        counts[0].reshape(-1)[rng.choice(counts[0].size, n, False)] = 1
        emulator = Emulator(network)
        for each in counts:
            emulator.step(each)
        case = Case("", network, counts, True)
        assert first_divergence(refer(network, counts, True), emulate(case)) is None
        assert emulator.activity().input_events == n


def test_graded_counts_are_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_PER_SPIKE", ALWAYS)
    network = Network((2, 8, 8), (Conv("a", np.full((8, 2, 3, 3), 2), Neuron(4096, 0, 99), None, (1, 1), (1, 1)),))
    counts = np.full((1, 2, 8, 8), 3, np.uint8)
    for graded in (True, False):
        case = Case("", network, counts, graded)
        assert first_divergence(refer(network, counts, graded), emulate(case)) is None


def test_windows_far_outside_the_image_are_not_looked_up() -> None:
    """Beyond the words that guard the bits there is no memory of ours."""
    for padding, there in ((7 * 64 // 8, True), (7 * 64 // 8 + 1, False)):
        layer = Conv("a", np.full((8, 8, 1, 1), 2), Neuron(4096, 0, 99), None, (1, 1), (0, padding))
        assert has_windows(layer, (8, 4, 4), layer.output_shape((8, 4, 4))) is there


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 64, 255, 256, 257, 2560, 65_535, 1_843_200])
def test_rows_are_divided_exactly(divisor: int) -> None:
    division = _division(divisor)
    multiples = np.unique(np.linspace(0, (1 << 31) // divisor - 1, 1000).astype(np.int64)) * divisor
    for offset in (0, 1, divisor - 1):
        for n in (multiples + offset).tolist():
            assert n * division["by_row"] >> division["by_row_shift"] == n // divisor


OTHER_PROCESSOR = """
import sys
from comparison import digest, emulate
from random_networks import random_case
from test_kernels import window_case
for case in [random_case(seed) for seed in range(16)] + [window_case(seed) for seed in range(4)]:
    print(digest(emulate(case)))
"""


def test_the_oldest_processor_gives_the_same(tmp_path: Path) -> None:
    """128 bits a vector and no instruction that counts bits."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(Path(__file__).parent)]),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESSOR], capture_output=True, text=True, env=environment, check=True
    )
    cases = [*(random_case(seed) for seed in range(16)), *(window_case(seed) for seed in range(4))]
    assert done.stdout.split() == [digest(emulate(case)) for case in cases]


def test_what_is_compiled_is_kept_only_as_long_as_no_source_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or original(path))  # type: ignore[func-returns-value]
    module = sys.modules[step_module.__module__]
    first = module._sources()  # type: ignore[attr-defined]
    names = {
        ".".join(path.with_suffix("").parts[len(path.parts) - 1 - path.parts[::-1].index("spikebridge") :])
        for path in read
    }
    for path in KERNELS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("spikebridge"):
                assert {node.module, f"{node.module}.__init__"} & names, f"{path.name}: {node.module}"
    monkeypatch.setattr(Path, "read_bytes", lambda path: original(path) + b" ")
    assert module._sources() != first  # type: ignore[attr-defined]

"""The front door: any backend, one read of the file, one sentence for a file that does not fit."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from bundles import spiking_network, write_ordinary_bundle, write_spiking_bundle
from spikebridge.bundle import Bundle, load_model
from spikebridge.contracts import SnnStage
from spikebridge.errors import BundleError, InputError, MissingError
from spikebridge.settings import LoihiBoard, SnnSettings
from spikebridge.snn import Emulator, open_snn
from spikebridge.snn.lava import LavaStage, Loihi2Meter
from spikebridge.snn.meter import ModelMeter

STANDIN = Path(__file__).parent / "lava/standin_lava"
BACKENDS = [
    SnnSettings(),
    SnnSettings("lava", Path(sys.executable)),
    SnnSettings("loihi2", Path(sys.executable), LoihiBoard(host="ethernet", address="10.0.0.7")),
]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_model(write_spiking_bundle(tmp_path / "b", spiking_network()))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that h5py opens in this process."""
    monkeypatch.setenv("SPIKEBRIDGE_LAVA_PATH", str(STANDIN))
    files: list[str] = []
    original = h5py.File.__init__

    def counting(self: h5py.File, name: object, *arguments: object, **options: object) -> None:
        if isinstance(name, (str, Path)):  # h5py also makes such objects of files that are open
            files.append(Path(name).name)
        original(self, name, *arguments, **options)

    monkeypatch.setattr(h5py.File, "__init__", counting)
    return files


@pytest.mark.parametrize("settings", BACKENDS, ids=lambda settings: settings.backend)
def test_the_file_is_read_once(bundle: Bundle, settings: SnnSettings, opened: list[str]) -> None:
    """Opened, metered, priced and closed; Lava's worker is another process."""
    stage = open_snn(bundle, settings)
    assert stage is not None
    meter = stage.meter()
    meter.read()
    meter.energy(stage.activity(), 10_000, 1)
    meter.cost(stage.activity(), 10_000)
    stage.close()
    assert opened == ["snn.net"]


@pytest.mark.parametrize(
    ("settings", "name", "meter"),
    [
        (BACKENDS[0], "Loihi emulator", ModelMeter),
        (BACKENDS[1], "Lava CPU simulation", ModelMeter),
        (BACKENDS[2], "Loihi 2", Loihi2Meter),
    ],
    ids=lambda value: getattr(value, "backend", ""),
)
def test_each_backend_has_its_name_its_network_and_its_meter(
    bundle: Bundle, settings: SnnSettings, name: str, meter: type, opened: list[str]
) -> None:
    stage = open_snn(bundle, settings)
    assert isinstance(stage, (Emulator, LavaStage))
    try:
        assert stage.name == name
        assert stage.network == spiking_network()
        assert type(stage.meter()) is meter
    finally:
        stage.close()


def test_the_board_that_was_chosen_is_asked_for(bundle: Bundle, opened: list[str]) -> None:
    """The stand-in answers at 10.0.0.7 alone."""
    for address, there in (("10.0.0.7", True), ("10.0.0.8", False)):
        board = LoihiBoard(host="ethernet", address=address)
        stage = open_snn(bundle, SnnSettings("loihi2", Path(sys.executable), board))
        assert isinstance(stage, LavaStage)
        with stage:
            if there:
                stage.wait_ready()
            else:
                with pytest.raises(MissingError, match=r"10\.0\.0\.8"):
                    stage.wait_ready()


def test_a_bundle_without_spiking_layers_has_no_stage(tmp_path: Path) -> None:
    assert open_snn(load_model(write_ordinary_bundle(tmp_path / "b")), SnnSettings()) is None


def spoil(bundle: Path, old: str, new: str) -> Bundle:
    contract = (bundle / "model.toml").read_text()
    assert old in contract
    (bundle / "model.toml").write_text(contract.replace(old, new))
    return load_model(bundle)


@pytest.mark.parametrize("settings", BACKENDS, ids=lambda settings: settings.backend)
def test_a_network_that_breaks_the_contract_is_refused(
    tmp_path: Path, settings: SnnSettings, opened: list[str]
) -> None:
    folder = write_spiking_bundle(tmp_path / "b", spiking_network())
    with pytest.raises(BundleError, match=r"expected snn.net to map \(2, 8, 9\) to \(2, 8, 8\), found \(2, 8, 8\)"):
        open_snn(spoil(folder, "width = 8", "width = 9"), settings)


def test_another_number_of_layers_is_refused(tmp_path: Path) -> None:
    folder = write_spiking_bundle(tmp_path / "b", spiking_network())
    with pytest.raises(BundleError, match=r"expected snn.net to have 4 spiking layers, found 1"):
        open_snn(spoil(folder, "layers = 1", "layers = 4"), SnnSettings())


def test_a_file_that_cannot_be_read_is_named(bundle: Bundle) -> None:
    assert bundle.snn is not None
    bundle.snn.path.write_bytes(b"no")
    with pytest.raises(InputError, match=r"snn\.net: expected a spiking network"):
        open_snn(bundle, SnnSettings())


def test_the_stage_runs(bundle: Bundle) -> None:
    stage: SnnStage | None = open_snn(bundle, SnnSettings())
    assert stage is not None
    counts = np.zeros((2, 8, 8), np.uint8)
    counts[1, 2, 3] = 255
    assert [int(stage.step(c).sum()) for c in (counts, 0 * counts)] == [0, 1]

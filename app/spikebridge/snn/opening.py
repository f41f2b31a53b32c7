"""The front door: a bundle's spiking layers, running where the settings say."""

from __future__ import annotations

from spikebridge.bundle import Bundle
from spikebridge.contracts import SnnStage
from spikebridge.errors import BundleError
from spikebridge.settings import SnnSettings
from spikebridge.snn.netfile import load_network
from spikebridge.snn.network import Network


def open_snn(bundle: Bundle, settings: SnnSettings | None = None) -> SnnStage | None:
    """The stage, checked against the bundle's contract; None for a bundle without spiking layers.

    Lava starts in the background: see ``StartingStage``. Raises BundleError where the network file does not fit the
    contract, InputError where it cannot be read, MissingError where Lava's environment is not there.
    """
    if bundle.snn is None:
        return None
    settings = settings or SnnSettings()
    network = load_network(bundle.snn.path)
    _check(bundle, network)
    if settings.backend == "emulator":
        from spikebridge.snn.emulator import Emulator

        return Emulator(network)
    from spikebridge.snn.lava import LavaStage, lava_options

    return LavaStage(bundle.snn.path, network, lava_options(settings))


def _check(bundle: Bundle, network: Network) -> None:
    """BundleError where the spiking layers do not fit what stands before and behind them in the contract."""
    if bundle.snn is None:
        return
    expected = (bundle.input.shape, bundle.snn.output_shape)
    found = (tuple(network.input_shape), tuple(network.output_shape))
    if found != expected:
        raise BundleError(
            f"{bundle.folder}/model.toml: expected {bundle.snn.path.name} to map {expected[0]} to {expected[1]}, "
            f"found {found[0]} to {found[1]}."
        )
    if len(network.layers) != bundle.snn.layers:
        raise BundleError(
            f"{bundle.folder}/model.toml: expected {bundle.snn.path.name} to have {bundle.snn.layers} spiking layers, "
            f"found {len(network.layers)}."
        )

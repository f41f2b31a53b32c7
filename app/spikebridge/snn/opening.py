from spikebridge.bundle import Bundle
from spikebridge.contracts import Energy, SnnStage
from spikebridge.settings import SnnSettings


class _Meter:
    name = "tmp"

    def read(self):
        return ()

    def energy(self, activity, step_us, n):
        return Energy(1e-3, "estimated", 2e-3, 0.5, "x")

    def cost(self, activity, step_us):
        return None


def open_snn(bundle: Bundle, settings: SnnSettings) -> SnnStage | None:
    if bundle.snn is None:
        return None
    from spikebridge.snn import Emulator, load_network

    return Emulator(load_network(bundle.snn.path))

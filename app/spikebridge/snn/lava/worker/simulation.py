"""Lava's CPU simulation: bit-accurate fixed point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lava.magma.core.run_configs import Loihi2SimCfg  # type: ignore[import-not-found]

from spikebridge.snn.lava.worker import models
from spikebridge.snn.lava.worker.netx import Bytes, NetxNetwork, Port, States, Tallies


class SimulationBackend:
    traced = True

    def __init__(self, network: NetxNetwork) -> None:
        self._memory = models.Memory([tuple(layer.neuron.s_out.shape) for layer in network.layers])
        models.use(self._memory)
        for number, layer in enumerate(network.layers):
            layer.neuron.proc_params[models.LAYER] = number

    def connect(self, source: Port, network: NetxNetwork, sink: Port) -> None:
        source.connect(network.inp)
        network.out.connect(sink)

    def run_configuration(self) -> object:
        return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=models.MODELS)

    def spikes(self) -> Sequence[Bytes]:
        return self._memory.spikes

    def tallies(self) -> Tallies:
        return self._memory.tallies

    def state(self) -> list[tuple[States, States]]:
        return list(zip(self._memory.u, self._memory.v, strict=True))

    def reset(self, advance_silent: Callable[[], None]) -> None:
        del advance_silent
        self._memory.clear()

    def figures(self) -> Mapping[str, float]:
        return {}

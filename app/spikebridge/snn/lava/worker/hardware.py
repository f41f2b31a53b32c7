"""Loihi 2 through Intel's lava-loihi, a closed package for members of its research community.

Only calls that the public part of Lava or Intel's published tutorials show are made: ``use_slurm_host``,
``use_ethernet_host``, ``Loihi2HwCfg(callback_fxs=)``, the adapters of ``lava.proc.embedded_io.spike``, and the
profilers ``Loihi2Power`` and ``Loihi2ExecutionTime`` with the attributes read below.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from lava.utils import loihi  # type: ignore[import-not-found]

from spikebridge.snn.lava.worker.errors import MissingPartError
from spikebridge.snn.lava.worker.netx import Bytes, NetxNetwork, Neuron, Port, States, Tallies

ACCESS = (
    "lava-loihi and Loihi 2 boards come with membership of the Intel Neuromorphic Research Community (INRC); "
    "without them use --snn lava or the emulator"
)


def choose_host(settings: Mapping[str, str]) -> None:
    """Selects the board as the user asked; MissingPartError says what is not there. Quick: compiles nothing."""
    if not loihi.is_installed():
        raise MissingPartError(f"expected lava-loihi in {sys.executable} for Loihi 2, found none; {ACCESS}.")
    generation = getattr(loihi.ChipGeneration, settings["generation"])
    try:
        if settings["host"] == "ethernet":
            loihi.use_ethernet_host(host_address=settings["address"], loihi_gen=generation)
        else:
            loihi.use_slurm_host(partition=settings["partition"], board=settings["board"], loihi_gen=generation)
    except (ImportError, ValueError, OSError) as error:
        raise MissingPartError(
            f"expected a Loihi 2 board by {settings['host']}, found: {error}; check the host settings; {ACCESS}."
        ) from error


class HardwareBackend:
    """The network on the chip, adapters at its ends where lava-loihi has them, profilers around each run."""

    traced = False

    def __init__(self, network: NetxNetwork, profile: bool, say: Callable[[str], None]) -> None:
        self._network = network
        self._power: object | None = None
        self._time: object | None = None
        if profile:
            say("attaching the profilers")
            self._attach_profilers()

    def connect(self, source: Port, network: NetxNetwork, sink: Port) -> None:
        try:
            from lava.proc.embedded_io.spike import NxToPyAdapter, PyToNxAdapter  # type: ignore[import-not-found]
        except ImportError:  # not in every lava-loihi: then Lava itself links injector and extractor to the chip
            source.connect(network.inp)
            network.out.connect(sink)
            return
        into = PyToNxAdapter(shape=network.inp.shape, num_message_bits=network.input_message_bits)
        out = NxToPyAdapter(shape=network.out.shape)
        source.connect(into.inp)
        into.out.connect(network.inp)
        network.out.connect(out.inp)
        out.out.connect(sink)

    def _attach_profilers(self) -> None:
        try:
            from lava.utils import loihi2_profiler
        except ImportError:  # their figures stay unavailable, and are shown as that
            return
        self._power = loihi2_profiler.Loihi2Power(num_steps=1)
        self._time = loihi2_profiler.Loihi2ExecutionTime()

    def run_configuration(self) -> object:
        from lava.magma.core.run_configs import Loihi2HwCfg  # type: ignore[import-not-found]

        return Loihi2HwCfg(callback_fxs=[profiler for profiler in (self._power, self._time) if profiler is not None])

    def spikes(self) -> Sequence[Bytes]:
        return ()

    def tallies(self) -> Tallies:
        return np.zeros(0, np.int64)

    def state(self) -> list[tuple[States, States]]:
        return [(np.asarray(n.u.get(), np.int32), np.asarray(n.v.get(), np.int32)) for n in self._neurons()]

    def reset(self, advance_silent: Callable[[], None]) -> None:
        # Spikes between layers cannot be cleared, only let arrive. With zero states and no input, each silent step
        # moves them one layer on and nothing new starts; after as many steps as layers none is left.
        for _ in self._network.layers:
            self._clear_states()
            advance_silent()
        self._clear_states()

    def figures(self) -> dict[str, float]:
        """Of the last run. Watts: mean of what the power profiler sampled; µs: mean time of a step on the chip."""
        found = {
            "total_w": _mean(self._power, "total_power"),
            "static_w": _mean(self._power, "static_total_power"),
            "vdd_w": _mean(self._power, "vdd_power"),
            "vddm_w": _mean(self._power, "vddm_power"),
            "vddio_w": _mean(self._power, "vddio_power"),
            "step_us": _mean(self._time, "avg_time_per_step"),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _neurons(self) -> list[Neuron]:
        return [layer.neuron for layer in self._network.layers]

    def _clear_states(self) -> None:
        for neuron in self._neurons():
            for variable in (neuron.u, neuron.v):
                variable.set(np.zeros(variable.shape, np.int32))


def _mean(profiler: object, attribute: str) -> float | None:
    """None where the profiler has no samples: an absent figure is not a zero."""
    samples = np.atleast_1d(np.asarray(getattr(profiler, attribute, None), dtype=float))
    value = float(samples.mean()) if samples.size else math.nan
    return value if math.isfinite(value) else None

"""The spiking layers: network description, exact emulator, Lava, energy model, mapping report.

Public: ``open_snn(bundle, settings)`` opens a bundle's spiking layers on any backend; ``load_network(path)`` reads a
lava-dl ``.net`` file, ``save_network`` writes one, ``Emulator(network)`` runs it bit for bit as Loihi's fixed-point
arithmetic does.
"""

from spikebridge.snn.emulator import Emulator
from spikebridge.snn.netfile import load_network, save_network
from spikebridge.snn.network import Conv, Dense, Network, Neuron
from spikebridge.snn.opening import open_snn

__all__ = ["Conv", "Dense", "Emulator", "Network", "Neuron", "load_network", "open_snn", "save_network"]

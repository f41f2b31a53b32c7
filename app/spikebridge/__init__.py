"""Spikebridge: event camera → spiking network → accumulator → ordinary network → gesture.

Public: ``open(source)`` yields EventPackets, ``load_model(name_or_path)`` a bundle, ``snn.load_network(path)`` and
``snn.Emulator(network)`` the spiking part.
"""

from __future__ import annotations

__version__ = "0.1.0"

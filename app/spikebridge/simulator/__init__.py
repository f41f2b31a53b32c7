"""A simulated DVS camera before which somebody performs the eleven gestures.

``ranges`` says what varies; ``body`` and ``motion`` move a person, ``performance`` puts gestures in time, ``scene``
renders them, ``pixels`` turns images into events, ``camera`` is the source and the maker of clips.
"""

from spikebridge.simulator.camera import SimulatedCamera, simulate_clip
from spikebridge.simulator.performance import LabelSpan

__all__ = ["LabelSpan", "SimulatedCamera", "simulate_clip"]

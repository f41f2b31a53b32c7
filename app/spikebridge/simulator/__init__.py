"""A simulated DVS camera before which somebody performs the eleven gestures.

``ranges`` says what varies; ``body`` and ``motion`` move a person, ``performance`` puts gestures in time. ``figure``
says what a person is drawn of, ``placing`` where that lies, ``drawing`` renders it; ``scene`` holds the three together.
``sensing`` turns images into the events of ``pixels``; ``camera`` is the source and the maker of clips. ``placing``,
``drawing`` and ``sensing`` are compiled and do not hold the interpreter's lock.
"""

from spikebridge.simulator.camera import SimulatedCamera, simulate_clip
from spikebridge.simulator.performance import LabelSpan

__all__ = ["LabelSpan", "SimulatedCamera", "simulate_clip"]

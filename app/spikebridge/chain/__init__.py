"""From the events of one step to a decision, on one thread: bin → SNN → accumulator → ANN → decision."""

from spikebridge.chain.chain import Chain, ChainStep

__all__ = ["Chain", "ChainStep"]

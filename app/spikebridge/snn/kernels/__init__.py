"""The emulator's inner loops. Imported only when an emulator is built: numba takes its time.

State lies in flat int32 arrays, layer after layer, channel last within a layer, each layer padded to whole blocks of
neurons. A block sleeps while all its neurons rest exactly (no current, voltage, input or bias) and is skipped: the cost
of a step follows the activity, and nothing is approximated.
"""

from spikebridge.snn.kernels.step import step

__all__ = ["step"]

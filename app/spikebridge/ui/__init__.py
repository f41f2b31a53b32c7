"""The window. Only this package touches Qt; it consumes snapshots and packets of a running chain."""

"""The window. Only this package touches Qt; it shows snapshots of a running chain, and the picture of its events."""

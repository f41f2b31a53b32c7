"""A run: one source feeds lanes, and what they measure leaves as ``snapshot.Snapshot``."""

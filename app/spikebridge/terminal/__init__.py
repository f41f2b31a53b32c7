"""A run in the terminal: JSON lines, a live dashboard, the summary. Reads snapshots and decisions alone."""

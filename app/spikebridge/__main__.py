"""``python -m spikebridge``."""

from spikebridge.cli import main

main()

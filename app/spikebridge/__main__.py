"""``python -m spikebridge``."""

from spikebridge.commands.main import main

main()

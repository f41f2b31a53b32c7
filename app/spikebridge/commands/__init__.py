"""The commands of ``spikebridge``, a file for each; what a command needs is imported when it runs."""

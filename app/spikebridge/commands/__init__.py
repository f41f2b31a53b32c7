"""The command line: one file for each command. A command is imported when it is called, so that ``--help`` is quick."""

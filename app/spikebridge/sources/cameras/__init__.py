"""Cameras on the USB. ``families`` is the table; a new family is a row there, and a driver beside it.

Each driver is one file and the only one that imports its SDK. What one can't open, ``refusals`` says in a sentence.
"""

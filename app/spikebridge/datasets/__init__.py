"""Labelled clips to learn from and to measure on: on disk, from recordings, from the simulated camera; as batches."""

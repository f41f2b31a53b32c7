"""Labelled clips to learn from and to measure on: stored, made of recordings or simulated, cut into windows."""

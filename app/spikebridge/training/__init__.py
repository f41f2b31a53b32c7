"""Training of the network family on simulated or recorded gestures, and export to model bundles.

Needs the ``train`` extra (torch). Nothing outside this package imports it but the command line, lazily.
"""

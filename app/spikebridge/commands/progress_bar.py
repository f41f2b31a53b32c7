"""The progress bar of the long commands, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar of ``length``; what it gives takes how much is done in all."""
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1) as bar:
        yield lambda done: bar.update(done - bar.pos)


def say(words: str) -> None:
    """A line on standard error; in a terminal it takes the place of the bar, which goes on below."""
    click.echo(("\r" if sys.stderr.isatty() else "") + words, err=True)

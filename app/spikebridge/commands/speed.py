"""A speed on the command line."""

from __future__ import annotations

import math

import click


class _Speed(click.ParamType[float]):
    name = "X|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            speed = math.inf if value == "max" else float(str(value))
        except ValueError:
            speed = 0.0
        if not speed > 0:
            self.fail(f"expected a number above 0 or 'max', found '{value}'.", param, ctx)
        return speed


SPEED = _Speed()

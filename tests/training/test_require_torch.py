"""Training says what it needs."""

from __future__ import annotations

import sys

import pytest

from spikebridge.errors import MissingError
from spikebridge.training import require_torch


def test_without_torch_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"pip install spikebridge\[train\]"):
        require_torch()

"""One measure in this process: ``python -m spikebridge.bench NAME SETTINGS_JSON`` prints its figures as JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from spikebridge.bench import BenchSettings, measures


def main() -> None:
    fields = json.loads(sys.argv[2])
    folder = Path(fields["recordings"]) if fields["recordings"] else None
    settings = BenchSettings(fields["quick"], folder, fields["model"], fields["gigabytes"])
    sys.setswitchinterval(1e-5)
    figures = getattr(measures, f"measure_{sys.argv[1]}")(settings)
    sys.stdout.write(json.dumps([dataclasses.asdict(figure) for figure in figures]) + "\n")


main()

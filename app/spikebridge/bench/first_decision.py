"""Opens the window off-screen and prints the first decision that it could show; for the start-up measure."""

from __future__ import annotations

import json
import sys
import threading
import time

from spikebridge.report import decision_object
from spikebridge.runtime import RunSettings, open_pipeline
from spikebridge.ui.app import run_window


def main() -> None:
    settings = RunSettings(model=sys.argv[1], seed=1)

    def opener(uri: str, _say: object) -> object:
        pipeline = open_pipeline(uri, settings)
        pipeline.start()
        threading.Thread(target=report, args=(pipeline,), daemon=True).start()
        return pipeline

    def report(pipeline: object) -> None:
        while (decision := pipeline.snapshot().decision) is None:  # type: ignore[attr-defined]
            time.sleep(0.005)
        sys.stdout.write(json.dumps(decision_object(decision)) + "\n")
        sys.stdout.flush()

    run_window(opener, "sim:", screenshot=None, duration_s=15.0)  # type: ignore[arg-type]


main()

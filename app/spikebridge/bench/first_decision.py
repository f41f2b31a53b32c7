"""Opens the window off-screen and prints the first decision that it could show; for the start-up measure."""

from __future__ import annotations

import json
import sys
import threading
import time

from spikebridge.contracts import Say
from spikebridge.engine import Engine
from spikebridge.settings import LaneSettings, RunSettings, SourceSettings
from spikebridge.terminal.objects import decision_object
from spikebridge.ui.app import show_window
from spikebridge.ui.session import ChainSession


def main() -> None:
    settings = RunSettings((LaneSettings(sys.argv[1]),), SourceSettings(seed=1))
    engine = Engine()

    def opener(uri: str, say: Say) -> ChainSession:
        session = engine.open(uri, settings, say)
        threading.Thread(target=report, args=(session,), daemon=True).start()
        return session

    def report(session: ChainSession) -> None:
        while (decision := session.snapshot().lanes[0].decision) is None:
            time.sleep(0.005)
        sys.stdout.write(json.dumps(decision_object(decision)) + "\n")
        sys.stdout.flush()

    show_window(opener, "sim:", duration_s=15.0)
    engine.close()


if __name__ == "__main__":
    main()

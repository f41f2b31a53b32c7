"""A pool of processes that work for this one, and end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait

from spikebridge.errors import StageError


def end_with_parent() -> None:
    """Called in a worker: ends it when the process it works for is gone, SIGKILL included.

    Workers wait for work on a pipe of which each holds both ends, so they would never notice.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


@contextmanager
def worker_pool(processes: int, command: str) -> Iterator[ProcessPoolExecutor]:
    """A pool that ends with the context; what has not started by then never does.

    Raises StageError, with ``command`` as its stage, when a worker is ended from outside.
    """
    # spawn: forking a process that has already started threads can hang.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise StageError(
            command, "expected the working processes to live, found one ended from outside; run it again."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)

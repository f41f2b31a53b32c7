"""Damaged files of every format: each must be refused in a sentence or read with a word on what is odd.

    python tests/fuzz_recordings.py [--files N] [--only NAME] [--seed S]

Prints a table: files tried, refused, read, and faults: other errors, crashes, hangs of 5 s, more than 1 GiB of memory,
events out of order or outside the sensor. A fault's number makes its file again: --seed S --only NAME --files 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from mutation_seeds import mutate, seeds
from spikebridge.errors import SpikebridgeError
from spikebridge.recordings import open_recording

HANG_S = 5.0
MEMORY_BYTES = 1 << 30


def try_file(path: Path) -> str:
    """``refused`` or ``read``; raises for a fault."""
    try:
        with closing(open_recording(path)) as recording:
            sensor, last_us, n = recording.info.sensor, -(1 << 63), 0
            for events in recording.chunks():
                t = events["t"]
                if t.size and (t[0] < last_us or np.any(np.diff(t) < 0)):
                    raise AssertionError("events out of order")
                if np.any(events["x"] >= sensor.width) or np.any(events["y"] >= sensor.height):
                    raise AssertionError("events outside the sensor")
                if np.any(events["polarity"] > 1):
                    raise AssertionError("a polarity that is none")
                last_us, n = int(t[-1]) if t.size else last_us, n + t.size
            counters = recording.counters()
            if n != recording.n_events or min(counters.dropped, counters.out_of_order, counters.skipped_bytes) < 0:
                raise AssertionError(f"{n} events given, {recording.n_events} told, {counters}")
            recording.frame_at(last_us)
            if not str(recording.info.sensor.name).isprintable():
                raise AssertionError("a name that can't be printed")
    except SpikebridgeError as error:
        if "\n" in str(error) or len(str(error)) > 2000:
            raise AssertionError(f"a refusal that is no sentence: {str(error)[:200]!r}") from error
        return "refused"
    return "read"


def _work(connection: Connection, whole: Path, first: int, stop: int, seed: int) -> None:
    """Tells each number before it is tried, and what came of it."""
    warnings.simplefilter("error")
    content = whole.read_bytes()
    used = _memory()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    damaged = whole.with_name(f"damaged-{whole.name}")
    for number in range(first, stop):
        connection.send(number)
        damaged.write_bytes(mutate(content, np.random.default_rng((seed, number))))
        try:
            connection.send(try_file(damaged))
        except BaseException:  # noqa: BLE001 - whatever it is, it is a fault to be told
            connection.send("fault " + traceback.format_exc().strip().replace("\n", " | ")[-600:])


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def fuzz(whole: Path, files: int, seed: int, first: int = 0) -> tuple[Counter[str], list[str]]:
    """What came of ``files`` damaged copies, in a process that may crash or hang."""
    outcome: Counter[str] = Counter()
    faults: list[str] = []
    number, stop = first, first + files
    while number < stop:
        ours, theirs = multiprocessing.get_context("fork").Pipe()
        worker = multiprocessing.get_context("fork").Process(target=_work, args=(theirs, whole, number, stop, seed))
        worker.start()
        theirs.close()
        try:
            while number < stop:
                limit = HANG_S if outcome else 60.0  # the first one may have to compile
                if not ours.poll(limit):
                    faults.append(f"{number}: hangs for {limit:.0f} s")
                    worker.kill()
                    break
                said = ours.recv()
                if isinstance(said, int):
                    number = said
                    continue
                outcome[said.split()[0]] += 1
                if said.startswith("fault"):
                    faults.append(f"{number}: {said}")
                number += 1
        except EOFError:
            worker.join()
            faults.append(f"{number}: crashed with {worker.exitcode}")
        if worker.is_alive() and number < stop:
            worker.kill()
        worker.join()
        if number < stop:
            outcome["fault"] += 1
            number += 1
    return outcome, faults


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        chosen = [(name, path) for name, path in seeds(Path(folder)) if given.only in name]
        for _, path in chosen:
            try_file(path)  # compiles once, for all workers
        each = -(-given.files // len(chosen))
        print(f"{'format':32} {'files':>7} {'refused':>8} {'read':>7} {'faults':>7} {'s':>6}")
        for name, path in chosen:
            began = time.monotonic()
            outcome, faults = fuzz(path, each, given.seed, given.first)
            bad += len(faults)
            print(
                f"{name:32} {outcome.total():7} {outcome['refused']:8} {outcome['read']:7} {len(faults):7} "
                f"{time.monotonic() - began:6.0f}",
                flush=True,
            )
            for fault in faults[:5]:
                print(f"    {fault}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

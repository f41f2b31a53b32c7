"""The outer process of the worker: stays small, watches both sides, and leaves nothing behind.

Lava forks a process for each of its parts, talks through named shared memory, and none of them notices that the
program died. So the interpreter that the program starts never imports Lava. It forks the process that does, waits
until that one ends or the program's end of the socket is gone (SIGKILL included: the kernel closes it), kills every
descendant, removes their shared memory, and only then exits: once it is gone, all are. If the guard itself is
killed, the kernel kills its child, and that one's children in turn.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_SET_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_SHARED_MEMORY = Path("/dev/shm")
_LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def run(descriptor: int) -> None:
    """Serves one program on an inherited socket; does not return."""
    connection = socket.socket(fileno=descriptor)
    # Of one length, so that none begins another, and short: Python leaves 14 characters for the whole name.
    prefix = f"sb{os.getpid():06x}"
    _prctl(_SET_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        _serve(connection, guard, prefix)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: _end(child, prefix))

    def look(*_: object) -> None:
        if _ended(child):
            _end(child, prefix)

    signal.signal(signal.SIGCHLD, look)
    look()
    # Only a hang-up is waited for; the data is the child's to read.
    watch = select.poll()
    watch.register(connection, getattr(select, "POLLRDHUP", 0) | select.POLLHUP)
    watch.poll()
    _end(child, prefix)


def _serve(connection: socket.socket, guard: int, prefix: str) -> None:
    status = 1
    try:
        os.setpgid(0, 0)
        _die_with_parent()
        _children_die_with_parents()
        if os.getppid() != guard:
            return
        _name_shared_memory(prefix)
        from spikebridge.snn.lava.worker import service

        status = service.serve(connection)
    except BaseException:  # noqa: BLE001 - the last resort: the log is what remains of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ended(child: int) -> bool:
    """Whether the child is gone; takes in what else ended."""
    gone = False
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            return gone
        gone = gone or pid == child


def _end(child: int, prefix: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # the child has not made its group yet
        os.kill(child, signal.SIGKILL)
    _reap_all()
    for segment in _SHARED_MEMORY.glob(f"{prefix}*"):
        segment.unlink(missing_ok=True)
    os._exit(0)


def _reap_all() -> None:
    """As the subreaper, the guard inherits what its descendants leave, in whatever group: ends and takes in each."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _name_shared_memory(prefix: str) -> None:
    """Lets the guard find the segments of its descendants: a killed owner cannot remove them."""
    from multiprocessing import shared_memory

    shared_memory._SHM_NAME_PREFIX = f"/{prefix}"  # type: ignore[attr-defined]


def _die_with_parent() -> None:
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def _children_die_with_parents() -> None:
    """For each process that this one forks, and those that they fork. A parent that died before its child had asked
    for the signal is found by its number."""
    parent = [0]

    def remember() -> None:
        parent[0] = os.getpid()

    def follow() -> None:
        _die_with_parent()
        if os.getppid() != parent[0]:
            os._exit(1)

    os.register_at_fork(before=remember, after_in_child=follow)


def _prctl(option: int, value: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(option, value, 0, 0, 0)

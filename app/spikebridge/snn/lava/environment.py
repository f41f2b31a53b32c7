"""The Python environment that Lava lives in: where it is, what is wrong with it, how to make one.

Lava's last release runs on Python 3.10 only, and its repositories are closed: the program keeps it in an interpreter
of its own, made from pinned versions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from spikebridge import resources
from spikebridge.errors import MissingError

#: Names an interpreter that has Lava.
PYTHON_VARIABLE = "SPIKEBRIDGE_LAVA_PYTHON"
#: Further folders for that interpreter's imports, joined like PATH: where lava-loihi and nxcore lie.
PATH_VARIABLE = "SPIKEBRIDGE_LAVA_PATH"
PYTHON_VERSION = "3.10"
_NEEDED = frozenset({"asteval", "h5py", "lava-dl", "lava-nc", "networkx", "numpy", "scipy"})
_FIX = "run spikebridge lava-setup, or name an interpreter that has it with SPIKEBRIDGE_LAVA_PYTHON"
_PROBE = (
    "import sys, importlib.util as u, importlib.metadata as m; "
    "sys.exit('missing') if u.find_spec('lava') is None else None; "
    "print('%d.%d' % sys.version_info[:2], m.version('lava-nc'), m.version('lava-dl'))"
)


def import_path() -> str:
    """Further folders for the worker's imports, as the user set them."""
    return os.environ.get(PATH_VARIABLE, "")


def default_folder() -> Path:
    """Where ``create`` makes the environment when no folder is named: in the checkout, or the user's data folder."""
    checkout = _checkout()
    return checkout / ".venv-lava" if checkout else _data_folder() / "venv-lava"


def find_python() -> Path | None:
    """The interpreter for Lava: the one the user named, the checkout's, or the user's; None where none is there.

    What the user named is returned even if it does not exist, so that its absence is reported and not passed over.
    """
    if named := os.environ.get(PYTHON_VARIABLE):
        return Path(named)
    folders = [_data_folder() / "venv-lava"]
    if checkout := _checkout():
        folders.insert(0, checkout / ".venv-lava")
    return next((python for folder in folders if (python := _python_of(folder)).is_file()), None)


def require_python() -> Path:
    """``find_python``, or MissingError that says how to get one."""
    python = find_python()
    if python is None:
        raise MissingError(f"expected a Python {PYTHON_VERSION} environment with Lava, found none; {_FIX}.")
    return python


def status(within_s: float = 20.0) -> tuple[bool, str, str]:
    """Whether Lava can be used, what was found, and the fix ("" when none is needed); for ``doctor``."""
    python = find_python()
    if python is None:
        return False, "no Lava environment", _FIX
    if not python.is_file():
        return False, f"{PYTHON_VARIABLE} names {python}, which is not there", f"correct it, or {_FIX}"
    try:
        probe = subprocess.run(
            [str(python), "-s", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=within_s,
            env=_clean(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{python} does not run: {error}", _FIX
    if probe.returncode:
        return False, f"{python} has no Lava", _FIX
    version, lava, lava_dl = probe.stdout.split()
    if version != PYTHON_VERSION:
        return False, f"{python} is Python {version}, Lava needs {PYTHON_VERSION}", _FIX
    return True, f"lava-nc {lava}, lava-dl {lava_dl} in {python}", ""


def create(
    folder: Path | None = None, interpreter: str | None = None, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Makes the environment from the pinned versions and returns its interpreter; a minute or two, 0.5 GB.

    folder : default ``default_folder``. interpreter : a Python 3.10, default the first found.
    say : takes lines of progress.
    """
    folder = folder or default_folder()
    pins = needed_pins(requirements_file().read_text(encoding="utf-8"))
    base = _find_base(interpreter)
    if folder.exists() and not (folder / "pyvenv.cfg").is_file():
        raise MissingError(
            f"expected {folder} to be absent or an environment, found something else; name another folder."
        )
    say(f"making {folder} with {base}")
    _run([base, "-m", "venv", "--clear", str(folder)], "the environment to be made")
    python = _python_of(folder)
    say("installing Lava; this takes a minute or two")
    with tempfile.TemporaryDirectory() as place:
        pinned = Path(place) / "requirements.txt"
        pinned.write_text(pins, encoding="utf-8")
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        _run([*pip, "-r", str(pinned)], "the pinned packages to install")
    return python


def needed_pins(requirements: str) -> str:
    """The pins, with their hashes, of what running a network needs: a thirteenth of what lava-dl asks for.

    Its training part needs torch with CUDA, 6 GB, which the worker leaves out (``worker.imports``).
    """
    blocks = re.split(r"\n(?=\S)", requirements.strip())
    kept = [block for block in blocks if block.partition("==")[0].strip().lower() in _NEEDED]
    found = {block.partition("==")[0].strip().lower() for block in kept}
    if missing := sorted(_NEEDED - found):
        raise MissingError(f"expected pins of {', '.join(missing)} in requirements-lava.txt, found none; reinstall.")
    return "\n".join(kept) + "\n"


def requirements_file() -> Path:
    """The pinned versions; they ship with the program."""
    package = Path(resources.__file__).resolve().parent
    places = [package / "packaging", package.parent.parent / "packaging"]
    for place in places:
        if (path := place / "requirements-lava.txt").is_file():
            return path
    raise MissingError(f"expected requirements-lava.txt in {places[0]} or {places[1]}, found none; reinstall.")


def _find_base(interpreter: str | None) -> str:
    candidates = [interpreter] if interpreter else _interpreters()
    for candidate in candidates:
        path = shutil.which(candidate)
        if path and _version(path) == PYTHON_VERSION:
            return path
    found = f"{interpreter} ({_version(interpreter) or 'does not run'})" if interpreter else "none"
    raise MissingError(
        f"expected a Python {PYTHON_VERSION} for Lava, found {found}; install it (python{PYTHON_VERSION} and "
        f"python{PYTHON_VERSION}-venv, or uv python install {PYTHON_VERSION}) and name it with --python."
    )


def _interpreters() -> list[str]:
    """Where a Python of the right version may be: on the path, this one, and those that pyenv and uv keep."""
    home = Path.home()
    kept = [
        *(Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions").glob(f"{PYTHON_VERSION}.*/bin/python"),
        *(home / ".local/share/uv/python").glob(f"cpython-{PYTHON_VERSION}.*/bin/python{PYTHON_VERSION}"),
    ]
    return [f"python{PYTHON_VERSION}", sys.executable, "python3", *map(str, sorted(kept, reverse=True))]


def _version(python: str) -> str:
    try:
        probe = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return probe.stdout.strip()


def _run(command: list[str], expected: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=_clean(), check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise MissingError(f"expected {expected}, found: {last}; the command was {' '.join(command)}.")


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _checkout() -> Path | None:
    root = Path(resources.__file__).resolve().parent.parent.parent
    return root if (root / "pyproject.toml").is_file() else None


def _data_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "spikebridge"


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"

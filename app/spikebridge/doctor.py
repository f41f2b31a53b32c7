"""Checks of this machine, each with the command that repairs it. Nothing is started or changed, Qt is not imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from spikebridge.sources.cameras import FAMILIES

State: TypeAlias = Literal["ok", "warning", "missing"]

_PYTHONS = ((3, 10), (3, 13))
_UDEV_FOLDERS = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d", "run/udev/rules.d")
_UDEV_FIX = (
    "spikebridge doctor --udev-rules | sudo tee /etc/udev/rules.d/70-spikebridge-cameras.rules && "
    "sudo udevadm control --reload-rules && sudo udevadm trigger"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. state : ``warning`` works with a limit, ``missing`` does not work. fix : a command, or empty."""

    name: str
    state: State
    sentence: str
    fix: str = ""


def diagnose(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> list[Check]:
    """All checks, in the order in which a newcomer needs them. ``root``: where /sys, /etc and /lib are found."""
    return [
        check_python(sys.version_info[:2]),
        check_display(environment),
        check_distributions(_installed_distributions()),
        check_providers(),
        check_power(root / "sys"),
        check_lava(),
        *check_cameras(),
        check_udev(root),
    ]


def check_python(version: tuple[int, int]) -> Check:
    found = f"Python {version[0]}.{version[1]}"
    if _PYTHONS[0] <= version <= _PYTHONS[1]:
        return Check("Python", "ok", f"{found} at {sys.executable}.")
    return Check("Python", "missing", f"Expected Python 3.10 to 3.13, found {found}.", "make run PYTHON=python3.12")


def check_display(environment: Mapping[str, str]) -> Check:
    """Display and Qt's system libraries; without them the terminal shows the same chain."""
    from spikebridge.ui.display import display_problem

    problem = display_problem(environment)
    if problem is None:
        return Check("Window", "ok", "A display and the system libraries of Qt are there.")
    return Check("Window", "warning", f"{problem.sentence[0].upper()}{problem.sentence[1:]}", problem.fix)


def check_distributions(installed: set[str]) -> Check:
    """spikebridge and spikebridge-gpu hold the same package; so do onnxruntime and onnxruntime-gpu."""
    for plain in ("onnxruntime", "spikebridge"):
        if {plain, f"{plain}-gpu"} <= installed:
            return Check(
                "Packages",
                "missing",
                f"Found {plain} and {plain}-gpu in one environment, where they overwrite each other's files.",
                f"pip uninstall -y {plain} {plain}-gpu onnxruntime onnxruntime-gpu, then install one of them again",
            )
    runtimes = sorted(installed & {"onnxruntime", "onnxruntime-gpu"})
    if not runtimes:
        return Check("Packages", "missing", "Expected ONNX Runtime, found none.", "pip install onnxruntime")
    return Check("Packages", "ok", f"One ONNX Runtime is installed: {runtimes[0]} {metadata.version(runtimes[0])}.")


def check_providers() -> Check:
    """What ONNX Runtime was compiled for; only a run tells what is granted."""
    from spikebridge.ann.local import available_providers

    providers = available_providers()
    if not providers:
        return Check(
            "ANN", "missing", "ONNX Runtime could not be imported.", "pip install --force-reinstall onnxruntime"
        )
    names = ", ".join(providers)
    if providers == ["CPUExecutionProvider"] or "CUDAExecutionProvider" not in providers:
        return Check("ANN", "ok", f"ONNX Runtime offers {names}; --ann cuda and tensorrt need spikebridge-gpu.")
    return Check("ANN", "ok", f"ONNX Runtime was built for {names}; whether they are granted shows when a run starts.")


def check_power(sysfs: Path) -> Check:
    """Which meters can be read."""
    from spikebridge.power import discover_meters

    meters = discover_meters(sysfs, estimate_host=False)
    if not meters:
        return Check("Power", "warning", "No power meter was found; the host's watts are estimated from CPU time.")
    # Only a refusal has a fix: a counter that gives watts from its second reading on needs none.
    refused = next((reading for meter in meters for reading in meter.read() if reading.fix), None)
    if refused is not None:
        return Check("Power", "warning", f"{refused.scope[0].upper()}{refused.scope[1:]}.", refused.fix)
    return Check("Power", "ok", f"Watts are measured by: {', '.join(meter.name for meter in meters)}.")


def check_lava() -> Check:
    """Lava lives in an interpreter of its own; the emulator does not need it."""
    from spikebridge.snn.lava import environment

    usable, found, fix = environment.status()
    sentence = f"{found[0].upper()}{found[1:].rstrip('.')}."
    if usable:
        return Check("Lava", "ok", sentence)
    return Check("Lava", "warning", f"{sentence} --snn lava and loihi2 need it, the emulator does not.", fix)


def check_cameras() -> Iterator[Check]:
    """SDKs of the camera families, found without importing them."""
    for family in FAMILIES:
        name = f"{family.title} cameras"
        if family.is_installed:
            yield Check(name, "ok", f"{family.sdk} is installed.")
        else:
            yield Check(name, "missing", f"{family.sdk} is not installed.", family.install)


def check_udev(root: Path) -> Check:
    """Whether a udev rule opens the cameras to users."""
    if sys.platform != "linux":
        return Check("Camera access", "ok", "No udev rules are needed on this system.")
    rules = "\n".join(_rules(root))
    closed = [family.title for family in FAMILIES if any(vendor not in rules for vendor, _ in family.usb)]
    if not closed:
        return Check("Camera access", "ok", "udev rules for all cameras are installed.")
    if os.geteuid() == 0:
        return Check("Camera access", "ok", "Running as root, no udev rule is needed.")
    return Check("Camera access", "warning", f"No udev rule for {' and '.join(closed)} cameras.", _UDEV_FIX)


def _rules(root: Path) -> Iterator[str]:
    for folder in _UDEV_FOLDERS:
        for path in sorted((root / folder).glob("*.rules")):
            if os.access(path, os.R_OK):
                yield path.read_text(encoding="utf-8", errors="replace").lower()


def _installed_distributions() -> set[str]:
    wanted = ("onnxruntime", "onnxruntime-gpu", "spikebridge", "spikebridge-gpu")
    return {name for name in wanted if _is_installed(name)}


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True

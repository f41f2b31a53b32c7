"""Checks of this machine, each with the command that repairs it. Nothing is started or changed, Qt is not imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from spikebridge.sources.cameras.access import UDEV_FIX, UsbDevice, installed_rules, usb_devices
from spikebridge.sources.cameras.families import FAMILIES, Family
from spikebridge.sources.cameras.refusals import usb2_note

State: TypeAlias = Literal["ok", "warning", "missing"]

_PYTHONS = ((3, 10), (3, 13))


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
        *check_cameras(root),
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


def check_cameras(root: Path) -> Iterator[Check]:
    """Of each family: its drivers, found without importing them, and the cameras that are plugged in."""
    plugged = usb_devices(root)
    for family in FAMILIES:
        yield _check_drivers(family, root)
        for device in plugged or ():
            if device.is_one_of(family.usb):
                yield _check_camera(family, device)
    if plugged is None and sys.platform == "linux":
        yield Check(
            "USB",
            "warning",
            "This system shows no USB, so that no camera can be found; 'sim:', recordings and 'net:' need none.",
            "in a container: start it with --device=/dev/bus/usb",
        )


def _check_drivers(family: Family, root: Path) -> Check:
    name = f"{family.title} cameras"
    installed = family.installed
    if not installed:
        return Check(name, "missing", "No driver is installed.", family.ways[-1].install)
    there = f"{installed[0].title} opens {installed[0].opens}"
    others = [f"{way.title} is the next way" for way in installed[1:]]
    missing = [f"{way.title} is not found by this Python" for way in family.ways if way not in installed]
    elsewhere = _metavision_elsewhere(root) if any(way.sdk == "metavision_hal" for way in family.ways) else ""
    fix = f"export PYTHONPATH={elsewhere}" if elsewhere and missing else ""
    if fix:
        return Check(name, "warning", f"{'; '.join((there, *others, *missing))}, but it lies in {elsewhere}.", fix)
    return Check(name, "ok", f"{'; '.join((there, *others, *missing))}.")


def _metavision_elsewhere(root: Path) -> str:
    """Where the Metavision SDK's installers put its modules, outside of a virtual environment."""
    for pattern in ("usr/lib/python3/dist-packages", "usr/local/lib/python3*/dist-packages"):
        for folder in sorted(root.glob(pattern)):
            if any(folder.glob("metavision_hal*")):
                return str(folder)
    return ""


def _check_camera(family: Family, device: UsbDevice) -> Check:
    name = f"{family.title} camera"
    which = f"USB {device.vendor}:{device.product}" + (f", serial number {device.serial}," if device.serial else "")
    if not device.usable:
        return Check(name, "missing", f"{which} is plugged in, and this user may not open {device.node}.", UDEV_FIX)
    if device.is_too_slow(family.usb):
        return Check(name, "warning", f"{which} is plugged in: {usb2_note(device.mbps)}", "lsusb -t shows the ports")
    return Check(name, "ok", f"{which} is plugged in at {device.mbps:g} Mb/s, and this user may open it.")


def check_udev(root: Path) -> Check:
    """Whether udev rules open the cameras to users."""
    if sys.platform != "linux":
        return Check("Camera access", "ok", "No udev rules are needed on this system.")
    rules = installed_rules(root)
    closed = [family.title for family in FAMILIES if any(usb.vendor not in rules for usb in family.usb)]
    if not closed:
        return Check("Camera access", "ok", "udev rules for all cameras are installed.")
    if os.geteuid() == 0:
        return Check("Camera access", "ok", "Running as root, no udev rule is needed.")
    return Check("Camera access", "warning", f"No udev rule for {' and '.join(closed)} cameras.", UDEV_FIX)


def _installed_distributions() -> set[str]:
    wanted = ("onnxruntime", "onnxruntime-gpu", "spikebridge", "spikebridge-gpu")
    return {name for name in wanted if _is_installed(name)}


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True

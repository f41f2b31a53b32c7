"""What ships is built, installed where nothing is, and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGING = PROJECT / "packaging"


def _run(*command: str | Path, cwd: Path) -> str:
    """Standard output; fails with both streams. Nothing of this checkout is on the path."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, (
        f"{command} gave {result.returncode}\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}"
    )
    return result.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Wheels of spikebridge and spikebridge-gpu."""
    target = tmp_path_factory.mktemp("wheels")
    _run(sys.executable, PACKAGING / "build_wheels.py", target, cwd=target)
    (plain,), (gpu,) = target.glob("spikebridge-*.whl"), target.glob("spikebridge_gpu-*.whl")
    return plain, gpu


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def _payload(wheel: Path) -> dict[str, int]:
    """Path → checksum of every file of the package."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.CRC for info in archive.infolist() if ".dist-info/" not in info.filename}


def test_wheel_holds_bundles_assets_and_licence(wheels: tuple[Path, Path]) -> None:
    names = _payload(wheels[0])
    for folder in ("models", "assets"):
        shipped = {
            f"spikebridge/{path.relative_to(PROJECT).as_posix()}"
            for path in (PROJECT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert shipped
        assert shipped <= set(names)
    with zipfile.ZipFile(wheels[0]) as archive:
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert _metadata(wheels[0])["License-Expression"] == "GPL-3.0-or-later"


def test_distributions_differ_in_name_and_runtime_alone(wheels: tuple[Path, Path]) -> None:
    plain, gpu = (_metadata(wheel) for wheel in wheels)
    assert (plain["Name"], gpu["Name"]) == ("spikebridge", "spikebridge-gpu")
    assert plain["Version"] == gpu["Version"]
    needed, needed_gpu = (set(metadata.get_all("Requires-Dist", [])) for metadata in (plain, gpu))
    (runtime,), (runtime_gpu,) = needed - needed_gpu, needed_gpu - needed
    assert runtime.startswith("onnxruntime>=")
    assert runtime_gpu == runtime.replace("onnxruntime", "onnxruntime-gpu")
    assert _payload(wheels[0]) == _payload(wheels[1])


@pytest.mark.timeout(600)
def test_installed_wheel_runs_the_chain_where_nothing_else_is(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    _run(sys.executable, "-m", "venv", environment, cwd=tmp_path)
    pip = (environment / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile")
    _run(*pip, "--require-hashes", "--no-deps", "--requirement", PACKAGING / "requirements.txt", cwd=tmp_path)
    _run(*pip, "--no-deps", "--no-index", wheels[0], cwd=tmp_path)
    _run(environment / "bin/python", "-m", "pip", "check", cwd=tmp_path)

    lines = _run(
        environment / "bin/spikebridge", "run", "sim:", "--headless", "--for", "5", "--json", cwd=tmp_path
    ).splitlines()

    *decisions, last = (json.loads(line) for line in lines)
    assert decisions
    summary = last["summary"]
    assert summary["decisions"] == len(decisions)
    assert summary["events"]["processed"] > 0

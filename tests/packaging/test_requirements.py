"""The pinned lists: complete, hashed, in step with one another, and without a word on where packages come from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "packaging"
LISTS = (
    *("requirements.txt", "requirements-dev.txt", "requirements-train.txt", "requirements-tools.txt"),
    "requirements-lava.txt",
)
#: What every supported interpreter and machine has to find in a list.
TARGETS = [
    {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.9",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
    }
    for minor in (10, 11, 12, 13)
    for machine in ("x86_64", "aarch64")
]


def _entries(name: str) -> list[tuple[Requirement, list[str]]]:
    """Requirement and hashes of each entry of a list."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = []
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s+--hash=", line)
        entries.append((Requirement(requirement), hashes))
    return entries


def _pins(name: str, target: dict[str, str]) -> dict[str, str]:
    pins: dict[str, str] = {}
    for requirement, _ in _entries(name):
        if requirement.marker is None or requirement.marker.evaluate(target):
            assert requirement.name not in pins, f"{requirement.name} twice for {target}"
            pins[requirement.name] = str(requirement.specifier)
    return pins


def _declared() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"]]


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_is_pinned_and_hashed(name: str) -> None:
    entries = _entries(name)
    assert entries
    for requirement, hashes in entries:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes)


@pytest.mark.parametrize(
    "path", [*LISTS, "lava.in", "install.sh", "lock.sh", "../Makefile", "../pyproject.toml", "../.ci/run"]
)
def test_nothing_says_where_packages_come_from(path: str) -> None:
    text = (FOLDER / path).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--(extra-)?index-url|find-links|trusted-host", text)


@pytest.mark.parametrize(
    "target", TARGETS, ids=lambda target: f"{target['python_version']}-{target['platform_machine']}"
)
def test_lists_fulfil_what_the_project_declares(target: dict[str, str]) -> None:
    pins, development = (_pins(name, target) for name in LISTS[:2])
    for requirement in _declared():
        if requirement.marker is None or requirement.marker.evaluate(target):
            name = requirement.name.lower().replace("_", "-")
            assert name in pins
            assert requirement.specifier.contains(pins[name].removeprefix("=="))
    assert {name: development.get(name) for name in pins} == pins


@pytest.mark.parametrize("script", ["packaging/install.sh", "packaging/lock.sh", ".ci/run"])
def test_script_is_executable_and_parses(script: str) -> None:
    path = PROJECT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", path], check=True)


def test_install_refuses_an_unsupported_interpreter_in_one_sentence(tmp_path: Path) -> None:
    python = tmp_path / "python3.9"
    python.write_text("#!/bin/sh\necho 3.9\n")
    python.chmod(0o755)
    command = [FOLDER / "install.sh", python, tmp_path / "environment", "packaging/requirements.txt"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 4
    assert result.stderr == ("install: expected Python 3.10 to 3.13, found 3.9; set PYTHON to one of them.\n")
    assert not (tmp_path / "environment").exists()

"""The guide does what it says: its commands and its Python are run, page by page."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[1] / "assets/guide"
PAGES = sorted(GUIDE.glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: What the first page records and others go on with.
_RECORD = "record sim:hand_clap clap.aedat4 --for 3 --fast --seed 4"


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[list[str]]:
    """Each line ``$ spikebridge …`` without the name of the program."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    assert all(line.startswith("$ spikebridge ") for line in lines), lines
    return [shlex.split(line.removeprefix("$ spikebridge ")) for line in lines]


def spikebridge(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "spikebridge", *arguments], cwd=folder, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}: {done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    spikebridge(shlex.split(_RECORD), folder)
    return folder / "clap.aedat4"


def test_the_first_page_records_what_the_others_use() -> None:
    assert shlex.split(_RECORD) in commands(GUIDE / "first-demo.md")


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, recording: Path, tmp_path: Path) -> None:
    made = {argument for arguments in commands(page) for argument in arguments if arguments[0] == "record"}
    if recording.name not in made:
        shutil.copy(recording, tmp_path)
    for arguments in commands(page):
        told = spikebridge(arguments, tmp_path)
        if "--json" in arguments:
            assert "summary" in json.loads(told.splitlines()[-1])


def test_the_commands_for_a_camera_end_with_a_sentence_where_there_is_none(tmp_path: Path) -> None:
    """Word for word, up to the hardware; in the terminal, since a window would wait to be closed."""
    page = (GUIDE / "your-camera.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in page.splitlines() if line.strip().startswith("spikebridge ")]
    assert [line.split()[1] for line in lines] == ["doctor", "devices", "run", "run"]
    for line in lines:
        arguments = shlex.split(line.split("|")[0])[1:]
        if arguments[0] != "run":
            assert spikebridge(arguments, tmp_path)
            continue
        done = subprocess.run(
            [sys.executable, "-m", "spikebridge", *arguments, "--headless", "--for", "1"], cwd=tmp_path,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 4)
        assert not done.returncode or re.match(r"spikebridge: expected a .*, found none.*\.$", done.stderr.strip())


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, recording: Path, tmp_path: Path) -> None:
    """All of a page in one go, in an interpreter of its own."""
    shutil.copy(recording, tmp_path)
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name], cwd=tmp_path, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


def test_every_page_and_module_of_the_reference_is_there() -> None:
    """In the navigation, and as a module that can be imported."""
    navigation = (GUIDE.parents[1] / "packaging/mkdocs.yml").read_text(encoding="utf-8")
    for page in [*PAGES, *sorted(GUIDE.glob("api/*.md"))]:
        assert f": {page.relative_to(GUIDE)}" in navigation
    for page in sorted(GUIDE.glob("api/*.md")):
        (module,) = re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        __import__(module)

"""Finding, judging and making the Python environment of Lava."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spikebridge.errors import MissingError
from spikebridge.snn.lava import environment


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No environment in the checkout or the user's folder, none named."""
    monkeypatch.delenv(environment.PYTHON_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(environment, "_checkout", lambda: tmp_path / "checkout")
    return tmp_path


def _place(folder: Path) -> Path:
    python = folder / "bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def test_nothing_is_found_where_nothing_is(nowhere: Path) -> None:
    assert environment.find_python() is None
    ok, found, fix = environment.status()
    assert (ok, found) == (False, "no Lava environment")
    assert "lava-setup" in fix
    with pytest.raises(MissingError, match="lava-setup"):
        environment.require_python()


def test_order_is_named_checkout_user(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = _place(nowhere / "data/spikebridge/venv-lava")
    assert environment.find_python() == users
    checkouts = _place(nowhere / "checkout/.venv-lava")
    assert environment.find_python() == checkouts
    monkeypatch.setenv(environment.PYTHON_VARIABLE, "/usr/bin/python-of-mine")
    assert environment.find_python() == Path("/usr/bin/python-of-mine")


def test_named_interpreter_that_is_not_there_is_not_passed_over(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _place(nowhere / "checkout/.venv-lava")
    monkeypatch.setenv(environment.PYTHON_VARIABLE, str(nowhere / "absent"))
    ok, found, fix = environment.status()
    assert not ok
    assert str(nowhere / "absent") in found
    assert "correct it" in fix


def test_interpreter_without_lava(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.PYTHON_VARIABLE, sys.executable)
    ok, found, _ = environment.status()
    assert not ok
    assert found == f"{sys.executable} has no Lava"


def test_interpreter_that_does_not_run(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = nowhere / "python"
    broken.write_text("#!/nonexistent\n")
    broken.chmod(0o755)
    monkeypatch.setenv(environment.PYTHON_VARIABLE, str(broken))
    ok, found, _ = environment.status()
    assert not ok
    assert "does not run" in found


def test_create_refuses_another_python(nowhere: Path) -> None:
    wrong = nowhere / "python3.9"
    wrong.write_text("#!/bin/sh\necho 3.9\n")
    wrong.chmod(0o755)
    with pytest.raises(MissingError, match=r"Python 3\.10.*\(3\.9\)"):
        environment.create(nowhere / "venv", str(wrong))
    assert not (nowhere / "venv").exists()


def test_create_does_not_clear_a_folder_of_another_kind(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "venv").mkdir()
    (nowhere / "venv/thesis.tex").write_text("precious")
    monkeypatch.setattr(environment, "_find_base", lambda _: sys.executable)
    with pytest.raises(MissingError, match="name another folder"):
        environment.create(nowhere / "venv")
    assert (nowhere / "venv/thesis.tex").read_text() == "precious"


def test_create_makes_the_environment_and_installs_the_pins(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    installed: list[str] = []

    def record(command: list[str], expected: str) -> None:
        commands.append(command)
        installed.extend(Path(part).read_text() for part in command if part.endswith("requirements.txt"))

    monkeypatch.setattr(environment, "_find_base", lambda _: "/usr/bin/python3.10")
    monkeypatch.setattr(environment, "_run", record)
    said: list[str] = []
    made = environment.create(nowhere / "venv", say=said.append)
    assert made == nowhere / "venv/bin/python"
    assert commands[0] == ["/usr/bin/python3.10", "-m", "venv", "--clear", str(nowhere / "venv")]
    assert commands[1][0] == str(made)
    assert "--require-hashes" in commands[1]
    assert "lava-nc==" in installed[0]
    assert len(said) == 2


def test_failing_command_is_named_with_its_last_words(nowhere: Path) -> None:
    with pytest.raises(MissingError, match=r"pinned packages.*no such wheel.*the command was"):
        environment._run([sys.executable, "-c", "raise SystemExit('no such wheel')"], "the pinned packages")


def test_only_what_the_worker_imports_is_installed_with_its_hashes() -> None:
    pins = environment.needed_pins(environment.requirements_file().read_text())
    names = [line.partition("==")[0] for line in pins.splitlines() if line[:1].isalpha()]
    assert sorted(names) == sorted(environment._NEEDED)
    assert pins.count("--hash=sha256:") >= len(names)
    assert "torch" not in pins


def test_incomplete_pins_are_named() -> None:
    with pytest.raises(MissingError, match=r"h5py.*scipy"):
        environment.needed_pins("numpy==1.26.4 \\\n    --hash=sha256:0\n")

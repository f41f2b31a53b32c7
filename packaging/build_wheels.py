"""Builds both distributions from one tree: ``spikebridge`` and ``spikebridge-gpu``. Usage: build_wheels.py [FOLDER]

onnxruntime and onnxruntime-gpu write the same files, so one environment can hold only one of them, and an extra can
add a dependency but never take one away. Hence two distributions of the same package, which differ in their name and in
this one dependency. Whoever installs both is told so by ``spikebridge doctor`` and by the ANN stage.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_TREE = ("app", "models", "assets", "packaging", "README.md", "LICENSE", ".gitignore")
#: In pyproject.toml → in that of spikebridge-gpu; each occurs exactly once.
_GPU = {
    'name = "spikebridge"\n': 'name = "spikebridge-gpu"\n',
    '    "onnxruntime>=': '    "onnxruntime-gpu>=',
}


def gpu_project(plain: str) -> str:
    """The pyproject.toml of spikebridge-gpu from that of spikebridge."""
    for old, new in _GPU.items():
        if (found := plain.count(old)) != 1:
            raise SystemExit(f"build_wheels: expected {old.strip()!r} once in pyproject.toml, found it {found} times.")
        plain = plain.replace(old, new)
    return plain


def build_wheels(target: Path) -> list[Path]:
    """Paths of both wheels in ``target``."""
    target = target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.whl"):
        if old.name.startswith(("spikebridge-", "spikebridge_gpu-")):
            old.unlink()
    plain = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    for project in (plain, gpu_project(plain)):
        with tempfile.TemporaryDirectory() as folder:
            _copy_tree(Path(folder))
            (Path(folder) / "pyproject.toml").write_text(project, encoding="utf-8")
            build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
            subprocess.run(build, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return sorted(target.glob("spikebridge*.whl"))


def _copy_tree(target: Path) -> None:
    for name in _TREE:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)


if __name__ == "__main__":
    for wheel in build_wheels(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")):
        sys.stdout.write(f"{wheel}  {wheel.stat().st_size / 1e6:.1f} MB\n")

"""Changes the modules that make figures or decisions in every small way, and counts which changes the tests notice.

    mutate.py [MODULE …]      such as run/tally.py; default: all of MODULES

Uses mutmut, which looks for its sources below src/: the tree is copied to build/mutation. What is known to change
nothing stands in mutants.toml, each with its reason, and does not count. Prints a table, lists the other survivors with
what was changed, and ends with 1 where fewer than 90 % of a module's changes were noticed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[1]
TREE = PROJECT / "build/mutation"
MODULES = (
    *(f"chain/{name}.py" for name in ("accumulator", "binning", "chain", "decision")),
    *(
        f"run/{name}.py"
        for name in (
            *("agreement", "cards", "energies", "inbox", "lane", "latency", "pipeline", "rates", "regroup"),
            *("snapshots", "tally"),
        )
    ),
    *(f"power/{name}.py" for name in ("host", "ina3221", "monitor", "powercap", "sysfs")),
    "pace.py",
    "snn/energy.py",
    "snn/meter.py",
    "snapshot.py",
    "sources/live.py",
    *(f"terminal/{name}.py" for name in ("objects", "summary", "values")),
)
#: Tests that look at those figures. Those in other processes are left out: mutmut does not see what they run.
_TESTS = (
    *("tests/chain", "tests/run", "tests/power", "tests/terminal", "tests/test_snapshot.py", "tests/test_pace.py"),
    *("tests/sources/test_live.py", "tests/snn/test_energy.py", "tests/snn/test_meter.py"),
)
_TO_KILL = 0.9
#: What mutmut says of a change that the tests fail, hang or crash with.
_NOTICED = ("killed", "timeout", "segfault")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. before, after : the lines that it replaces, and by what, each joined with a space."""

    module: str
    name: str
    status: str
    before: str = ""
    after: str = ""


def main() -> int:
    modules = sys.argv[1:] or list(MODULES)
    _copy_tree(modules)
    mutmut = Path(sys.executable).with_name("mutmut")
    with (TREE / "mutmut.log").open("w") as log:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment.setdefault("SPIKEBRIDGE_RECORDINGS", str(PROJECT.parent / "shared/recordings"))
        workers = str(os.cpu_count() or 1)
        done = subprocess.run(
            [mutmut, "run", "--max-children", workers], cwd=TREE, stdout=log, stderr=log, env=environment, check=False
        )
    if done.returncode:
        # Its spinner overwrites a line over and over.
        said = [line.rsplit("\r", 1)[-1] for line in (TREE / "mutmut.log").read_text().split("\n")]
        sys.stdout.write("\n".join([*said[-60:], "mutmut could not run.", ""]))
        return 1
    mutants = list(_read_mutants(mutmut))
    return _report(mutants, _read_equivalents())


def _copy_tree(modules: list[str]) -> None:
    shutil.rmtree(TREE, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(PROJECT / "app", TREE / "src", ignore=ignored)
    for part in ("tests", "models", "assets", "packaging"):
        shutil.copytree(PROJECT / part, TREE / part, ignore=ignored)
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8").replace('["app", "tests"]', '["src", "tests"]')
    settings = {
        "source_paths": ["src/"],
        "only_mutate": [f"src/spikebridge/{module}" for module in modules],
        "pytest_add_cli_args_test_selection": [test for test in _TESTS if (PROJECT / test).exists()],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "also_copy": ["tests", "models", "assets", "packaging"],
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (TREE / "pyproject.toml").write_text("\n".join([project, "[tool.mutmut]", *lines, ""]), encoding="utf-8")


def _read_mutants(mutmut: Path) -> Iterator[Mutant]:
    told = subprocess.run([mutmut, "results", "--all", "true"], cwd=TREE, capture_output=True, text=True, check=True)
    for line in told.stdout.splitlines():
        name, colon, status = line.strip().rpartition(": ")
        if not colon or not name.startswith("spikebridge."):
            continue
        module = name.removeprefix("spikebridge.").split(".x")[0].replace(".", "/") + ".py"
        if status == "killed":
            yield Mutant(module, name, status)
            continue
        shown = subprocess.run([mutmut, "show", name], cwd=TREE, capture_output=True, text=True, check=True).stdout
        lines = [one for one in shown.splitlines() if not one.startswith(("---", "+++", "#"))]
        before, after = (" ".join(one[1:].strip() for one in lines if one[:1] == sign) for sign in "-+")
        yield Mutant(module, name, status, before, after)


def _read_equivalents() -> set[tuple[str, str, str]]:
    entries = tomllib.loads((PROJECT / "packaging/mutants.toml").read_text(encoding="utf-8")).get("equivalent", [])
    return {(entry["module"], entry["before"], entry["after"]) for entry in entries if entry["reason"]}


def _report(mutants: list[Mutant], equivalents: set[tuple[str, str, str]]) -> int:
    def is_equivalent(mutant: Mutant) -> bool:
        return mutant.status != "killed" and (mutant.module, mutant.before, mutant.after) in equivalents

    counted = [mutant for mutant in mutants if not is_equivalent(mutant)]
    all_of = Counter(mutant.module for mutant in counted)
    killed = Counter(mutant.module for mutant in counted if mutant.status in _NOTICED)
    same = Counter(mutant.module for mutant in mutants if is_equivalent(mutant))
    lines = [f"{'module':26} {'changes':>8} {'noticed':>8} {'':>7}   known to change nothing"]
    for module in sorted(all_of):
        share = killed[module] / all_of[module]
        lines.append(f"{module:26} {all_of[module]:8} {killed[module]:8} {share:7.1%}   {same[module] or ''}")
    total = sum(killed.values()) / max(1, sum(all_of.values()))
    lines.append(f"{'all':26} {sum(all_of.values()):8} {sum(killed.values()):8} {total:7.1%}   {sum(same.values())}")
    for mutant in counted:
        if mutant.status not in _NOTICED:
            lines += [f"\n{mutant.name}: {mutant.status}", f"  - {mutant.before}", f"  + {mutant.after}"]
    sys.stdout.write("\n".join(lines) + "\n")
    poor = [module for module in all_of if killed[module] / all_of[module] < _TO_KILL]
    return 1 if poor or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())

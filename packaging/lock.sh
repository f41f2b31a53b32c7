#!/usr/bin/env bash
# lock.sh PYTHON: renews every pinned list from pyproject.toml and lava.in. Needs uv in that environment.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=("$1" -m uv pip compile --upgrade --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate)
universal=("${compile[@]}" pyproject.toml --universal --python-version 3.10)

"${universal[@]}" --group build --output-file packaging/requirements.txt
"${universal[@]}" --group dev --constraints packaging/requirements.txt --output-file packaging/requirements-dev.txt
"${universal[@]}" --group dev --extra train --constraints packaging/requirements-dev.txt \
    --output-file packaging/requirements-train.txt
"${universal[@]}" --group dev --group docs --group mutation --constraints packaging/requirements-dev.txt \
    --output-file packaging/requirements-tools.txt
"${compile[@]}" packaging/lava.in --no-deps --python-version 3.10 --output-file packaging/requirements-lava.txt

#!/usr/bin/env bash
# install.sh [--no-project] PYTHON ENVIRONMENT REQUIREMENTS
# Creates the environment where it is missing, installs exactly the pinned and hashed requirements, then this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."

project=yes
if [[ "$1" == --no-project ]]; then project=no; shift; fi
python=$1 environment=$2 requirements=$3

fail() { echo "install: $*" >&2; exit 4; }

if [[ ! -x "$environment/bin/python" ]]; then
    command -v "$python" >/dev/null || fail "expected an interpreter '$python', found none; set PYTHON, or LAVA_PYTHON for Lava."
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
        fail "expected '$python' to run, it failed; set PYTHON, or LAVA_PYTHON for Lava, to one that does."
    case "$version" in
        3.10 | 3.11 | 3.12 | 3.13) ;;
        *) fail "expected Python 3.10 to 3.13, found $version; set PYTHON to one of them." ;;
    esac
    "$python" -c 'import ensurepip' 2>/dev/null ||
        fail "expected the venv module of Python $version, found none; run 'sudo apt-get install python$version-venv'."
    echo "Creating $environment with Python $version …"
    "$python" -m venv "$environment"
fi

echo "Installing $requirements …"
pip=("$environment/bin/python" -m pip --disable-pip-version-check --no-input)
"${pip[@]}" install --quiet --require-hashes --no-deps --requirement "$requirements"
if [[ $project == yes ]]; then
    "${pip[@]}" install --quiet --no-deps --no-build-isolation --no-index --editable .
fi

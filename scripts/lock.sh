#!/usr/bin/env bash
# Resolves requirements*.txt into lock files with hashes. torch is left out: see setup.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in requirements requirements-dev; do
  .venv/bin/uv pip compile --quiet "$name.txt" --python-version 3.11 --universal --generate-hashes \
    --no-emit-package torch --custom-compile-command "make lock" --output-file "$name.lock"
done

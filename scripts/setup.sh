#!/usr/bin/env bash
# Makes .venv and installs the lock file into it, once: a stamp holds the hash of what was installed.
# torch has a step of its own: TORCH_INDEX_URL chooses its build, e.g. https://download.pytorch.org/whl/cpu.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements.lock
[ "${1:-}" = --dev ] && lock=requirements-dev.lock
stamp() { echo ".venv/.installed-$(cat "$1" requirements.txt | sha256sum | cut -c1-16)"; }
[ -e "$(stamp "$lock")" ] && exit 0

for candidate in "${PYTHON:-}" python3.11 python3 python; do
  [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && python=$candidate && break
done
if [ -z "${python:-}" ]; then
  echo "Python 3.11 was not found. Install it, or name it: PYTHON=/path/to/python3.11 make run" >&2
  exit 1
fi

[ -x .venv/bin/python ] || { echo "Making .venv"; "$python" -m venv .venv; }
echo "Installing $(grep -c == "$lock") packages into .venv (about 3 GB with TensorFlow and torch; a few minutes, once)"
.venv/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r "$lock"  # it is complete but for torch
torch=$(grep '^torch==' requirements.txt)
echo "Installing $torch"
.venv/bin/python -m pip install --disable-pip-version-check ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$torch"
touch "$(stamp requirements.lock)" "$(stamp "$lock")"  # what development needs holds all that running does

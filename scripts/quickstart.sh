#!/usr/bin/env bash
# From a clone to an app that answers, and to the same app on a patched base. Sets up all that it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh run
bash scripts/prepare.sh
exec node scripts/quickstart.mjs

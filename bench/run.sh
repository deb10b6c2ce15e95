#!/usr/bin/env bash
# Sets up, compiles and runs a benchmark, or each of them as it is: bench/run.sh [rebase 40]
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh run test
bash scripts/prepare.sh
node_modules/.bin/tsc -p bench/tsconfig.json
CRANE=$(bash scripts/crane.sh 2> /dev/null)
export CRANE
# What is measured is not this machine's disk.
if [[ -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi
run() { node ".pack-build/bench/bench/$1/main.js" "${@:2}"; }
if (($# > 0)); then run "$@"; else for name in startup layers rebuild unpack check rebase; do printf '\n=== %s\n' "$name" && run "$name"; done; fi

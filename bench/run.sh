#!/usr/bin/env bash
# Sets up, compiles and runs one benchmark: bench/run.sh rebase 40
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
shift
bash scripts/setup.sh run test
bash scripts/prepare.sh
node_modules/.bin/tsc -p bench/tsconfig.json
CRANE=$(bash scripts/crane.sh 2> /dev/null)
export CRANE
# What is measured is not this machine's disk.
if [[ -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi
exec node ".pack-build/bench/bench/$name/main.js" "$@"

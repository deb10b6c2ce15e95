#!/usr/bin/env bash
# All checks: sets up what they need, compiles, lints, checks types, runs every test; those that depend on little but Node
# also on its other versions. Names of files or folders of tests run those alone: npm test -- test/unit
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh run test
bash scripts/prepare.sh
npm run --silent lint
npm run --silent typecheck

export TEST_COUNTS=$PWD/.pack-build/counts
rm -f "$TEST_COUNTS"
runs=0 broken=0 alone=()

# A run that leaves no count did not come to its end.
run_tests() {
  runs=$((runs + 1))
  "$1" --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js "${@:2}" || true
  [[ -f $TEST_COUNTS && $(wc -l <"$TEST_COUNTS") -eq $runs ]] || { echo '0 passed, 1 failed' >>"$TEST_COUNTS"; broken=1; }
}

# Suites that wait for programs can fail because others keep the machine busy. A few that failed are run once more, alone;
# that run counts for them.
run_all() {
  local again=$PWD/.pack-build/again suites
  rm -f "$again"
  TEST_AGAIN=$again run_tests "$@" --maxWorkers=100%
  [[ -s $again ]] || return 0
  mapfile -t suites <"$again"
  printf '\n=== once more, alone: %s\n' "${suites[*]}"
  alone+=("${suites[@]}")
  run_tests "$1" --runInBand --runTestsByPath "${suites[@]}"
}

run_all node "$@"
if (($# == 0)); then
  for version in 22 24 26; do
    printf '\n=== on Node %s\n' "$version"
    # Not the commands of the documents: these start programs, and the Node on PATH.
    run_all "$(bash scripts/node.sh "$version")" test/unit test/conformance --testPathIgnorePatterns test/conformance/docs
  done
fi

read -r passed failed < <(awk '{ passed += $1; failed += $3 } END { print passed, failed }' "$TEST_COUNTS")
((broken == 0)) || echo 'a run of the tests did not come to its end: see above' >&2
((${#alone[@]} == 0)) || printf 'failed beside others and were run once more: %s\n' "${alone[*]}" >&2
printf '%s passed, %s failed\n' "$passed" "$failed"
((failed == 0))

#!/usr/bin/env bash
# Prints the path of crane, a tool for images by others, which it compiles when it is not there. It takes Go for that, whose
# own settings say where modules come from.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v0.18.0
home=$PWD/.pack-build/crane-$version
crane=$home/crane

compile() {
  local go
  go=$(command -v go || command -v /usr/local/go/bin/go) || { echo 'crane: there is no Go to compile it with' >&2; exit 1; }
  GOBIN=$home/new GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=0 \
    "$go" install "github.com/google/go-containerregistry/cmd/crane@$version" >&2
  mv -f "$home/new/crane" "$crane"
}

if ! [[ -x $crane ]]; then
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  [[ -x $crane ]] || compile
fi
"$crane" version >&2
printf '%s\n' "$crane"

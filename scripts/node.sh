#!/usr/bin/env bash
# Prints the path of a Node of another version, such as 22, which it installs when it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
home=$PWD/.pack-build/node-$version
node=$home/node_modules/node/bin/node
if ! [[ -x $node ]]; then
  mkdir -p "$home"
  npm install --no-save --no-audit --no-fund --loglevel=error --prefix "$home" "node@$version" >&2
fi
"$node" --version >&2
printf '%s\n' "$node"

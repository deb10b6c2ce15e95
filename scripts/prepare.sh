#!/usr/bin/env bash
# Installs the npm packages and compiles, each only when something changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .pack-build
packages=$(sha256sum package.json package-lock.json)
if [[ ! -d node_modules || "$packages" != "$(cat .pack-build/packages 2>/dev/null)" ]]; then
  # `npm ci` refuses a lock without the optional packages of platforms that the registry at hand does not serve.
  npm install --no-save --no-audit --no-fund --loglevel=error
  printf '%s' "$packages" >.pack-build/packages
fi

sources=$(find src types scripts/build.mjs tsconfig*.json -type f -print0 | sort -z | xargs -0 sha256sum)
if [[ ! -f dist/cli/main.js || "$sources" != "$(cat .pack-build/sources 2>/dev/null)" ]]; then
  npm run --silent build
  printf '%s' "$sources" >.pack-build/sources
fi

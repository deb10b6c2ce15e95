# package.json and the lock files beside it.

manifest() { jq --raw-output "$1 // empty" "$build_dir/package.json"; }

check_manifest() {
  local problem
  if ! problem=$(jq --exit-status 'type == "object"' "$build_dir/package.json" 2>&1 > /dev/null); then
    fail "package.json cannot be read as a JSON object" \
      "${problem:-it holds another kind of JSON value}" \
      "Correct it; 'jq . package.json' shows the place."
  fi
  check_lock_files
  if [[ -d $build_dir/node_modules ]]; then
    warn "node_modules is part of the source; npm replaces what the lock file says." \
      "Add node_modules to .gitignore or .slugignore."
  fi
}

check_lock_files() {
  local other
  for other in yarn.lock pnpm-lock.yaml; do
    [[ -f $build_dir/$other ]] || continue
    if [[ -f $build_dir/package-lock.json ]]; then
      fail "There are two lock files: package-lock.json and $other" \
        "They can disagree about what to install." \
        "Delete one of them; this buildpack installs with npm and package-lock.json."
    fi
    fail "The app is locked by $other, which this buildpack cannot follow" \
      "It installs with npm, which reads package-lock.json." \
      "Run 'npm install' and commit package-lock.json instead, or choose another buildpack."
  done
}

has_script() { [[ -n $(manifest ".scripts[\"$1\"]?") ]]; }

run_script() {
  has_script "$1" || return 0
  heading "Running npm script $1"
  npm run "$1" 2>&1 | indent || fail "The npm script $1 stopped with an error" \
    "The lines above are its output." "Make 'npm run $1' succeed on a clean checkout."
}

run_build_script() {
  if has_script heroku-postbuild; then
    run_script heroku-postbuild
  else
    run_script build
  fi
}

# What to build, and the build.

build_packages() {
  local specs names linker_flags=()
  read -r -a specs <<< "$(package_specs)"
  go list -f '{{if eq .Name "main"}}{{.Target}}{{end}}' "${specs[@]}" > "$work_dir/targets" 2> "$work_dir/list-errors" \
    || { indent < "$work_dir/list-errors" >&2; build_failed; }
  names=$(sed -n 's#.*/##p' "$work_dir/targets" | LC_ALL=C sort)
  [[ -n $names ]] || fail "There is no main package to build" \
    "Looked at: ${specs[*]}" "Name one in GO_INSTALL_PACKAGE_SPEC, or in go.mod: // +heroku install ./cmd/..."
  if [[ -n $(uniq -d <<< "$names") ]]; then
    fail "Several main packages are called $(uniq -d <<< "$names" | paste -sd ' ')" \
      "Their binaries would take the same place in bin/." "Name the one to build in GO_INSTALL_PACKAGE_SPEC."
  fi
  detail "${specs[*]}: $(paste -sd ' ' <<< "$names")"
  if [[ -n ${GO_LINKER_SYMBOL:-} ]]; then
    linker_flags=(-ldflags "-X '$GO_LINKER_SYMBOL=${GO_LINKER_VALUE:-${SOURCE_VERSION:-}}'")
  fi
  mkdir -p bin .heroku/go
  go build -o bin/ "${linker_flags[@]}" "${specs[@]}" 2>&1 | indent || build_failed
  printf '%s\n' "$names" > .heroku/go/installed
}

build_failed() {
  fail "go could not build the app" "Go's own message is above." "Make 'go build ./...' succeed on a clean checkout."
}

package_specs() {
  local spec=${GO_INSTALL_PACKAGE_SPEC:-}
  if [[ -z $spec ]]; then
    spec=$(sed -nE 's#^//[[:space:]]*\+heroku[[:space:]]+install[[:space:]]+(.*)#\1#p' go.mod | tr -d '\r' | head -n 1)
  fi
  printf '%s\n' "${spec:-./...}"
}

# Config vars come in, profile scripts, exports and the report go out.

not_for_the_build='^(PATH|HOME|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LD_LIBRARY_PATH|LIBRARY_PATH|GOROOT|GOPATH|GOBIN|GOTOOLCHAIN|BASH_ENV|ENV|IFS)$'

load_config_vars() {
  local file name
  for file in "$1"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ $not_for_the_build ]] || continue
    export "$name=$(< "$file")"
  done
}

set_go_environment() {
  export GOROOT=$go_root GOTOOLCHAIN=local GOENV=off
  export GOPATH=$cache_dir/path GOCACHE=$cache_dir/build
  # The build's directories and the absent git checkout must not show in the binaries.
  export GOFLAGS="-trimpath -buildvcs=false -modcacherw ${GOFLAGS:-}"
  export PATH=$GOROOT/bin:$PATH
}

write_profile() {
  mkdir -p .profile.d
  install -m 0644 "$buildpack_dir"/profile/*.sh .profile.d/
}

write_export() {
  [[ -w $buildpack_dir ]] || return 0
  # shellcheck disable=SC2016 # PATH is for the shell that reads the file
  {
    printf 'export GOROOT=%q\nexport GOTOOLCHAIN=local\n' "$GOROOT"
    printf 'export PATH=%q:"${PATH}"\n' "$build_dir/bin:$GOROOT/bin"
  } > "$buildpack_dir/export"
}

write_report() {
  cat > "$cache_dir/report.yml" <<YAML
go_version: "$go_version"
go_source: "$go_source"
binaries: "$(paste -sd ' ' .heroku/go/installed)"
YAML
}

run_hook() {
  [[ -f bin/$1 ]] || return 0
  heading "Running bin/$1"
  chmod +x "bin/$1"
  "bin/$1" 2>&1 | indent || fail "The app's bin/$1 stopped with an error" \
    "The lines above are its output." "Correct the script, or remove it."
}

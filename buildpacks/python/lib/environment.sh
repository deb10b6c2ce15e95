# Config vars come in, profile scripts, exports and the report go out.

not_for_the_build='^(PATH|HOME|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LD_LIBRARY_PATH|LIBRARY_PATH|PYTHONHOME|PYTHONPATH|BASH_ENV|ENV|IFS)$'

load_config_vars() {
  local file name
  for file in "$1"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ $not_for_the_build ]] || continue
    export "$name=$(< "$file")"
  done
}

set_python_defaults() {
  export PYTHONUNBUFFERED=1
  # Importing would leave .pyc files that carry the time of this build.
  export PYTHONDONTWRITEBYTECODE=1
  export PIP_CACHE_DIR=$cache_dir/pip
  export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off PIP_NO_WARN_SCRIPT_LOCATION=1
  # Extensions are compiled in directories with random names, which debug information would record.
  export CFLAGS="${CFLAGS:-} -g0" CXXFLAGS="${CXXFLAGS:-} -g0"
}

write_profile() {
  mkdir -p .profile.d
  install -m 0644 "$buildpack_dir"/profile/*.sh .profile.d/
}

write_export() {
  [[ -w $buildpack_dir ]] || return 0
  # shellcheck disable=SC2016 # PATH is for the shell that reads the file
  {
    printf 'export PATH=%q:"${PATH}"\n' "$python_dir/bin"
    printf 'export PYTHONUNBUFFERED=1\n'
  } > "$buildpack_dir/export"
}

write_report() {
  cat > "$cache_dir/report.yml" <<YAML
python_version: "$python_version"
pip_version: "$pip_version"
YAML
}

run_hook() {
  [[ -f bin/$1 ]] || return 0
  heading "Running bin/$1"
  chmod +x "bin/$1"
  "bin/$1" 2>&1 | indent || fail "The app's bin/$1 stopped with an error" \
    "The lines above are its output." "Correct the script, or remove it."
}

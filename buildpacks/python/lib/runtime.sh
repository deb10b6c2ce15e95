# The virtual environment at .heroku/python: the base's interpreter, the app's packages.
# Its link names the minor version, so that a base with another one is noticed as a dangling link.

find_python() {
  local found
  found=$(command -v python3) || fail "The build base has no python3" \
    "This buildpack uses the base's Python." "Add the packages python3 and python3-pip to the build base."
  python=$(realpath "$found")
  python_version=$("$python" -I -c 'import platform; print(platform.python_version())')
  python_minor=${python_version%.*}
  pip_version=$("$python" -I -c 'import pip; print(pip.__version__)' 2> /dev/null) || fail "The build base has no pip" \
    "'$python -m pip' does not work." "Add the package python3-pip to the build base."
  detail "Python $python_version and pip $pip_version"
}

create_environment() {
  local version
  rm -rf "$python_dir"
  mkdir -p "$python_dir/bin" "$python_dir/lib/python$python_minor/site-packages"
  ln -s "$python" "$python_dir/bin/python$python_minor"
  for version in python python3; do ln -s "python$python_minor" "$python_dir/bin/$version"; done
  cat > "$python_dir/pyvenv.cfg" <<CFG
home = ${python%/*}
include-system-site-packages = false
version = $python_minor
CFG
  link_at_run_time_place
  export PATH=$run_dir/.heroku/python/bin:$PATH
}

# Installed scripts begin with the path they have at run time; the link makes it valid during the build too.
link_at_run_time_place() {
  [[ $(realpath "$build_dir") != "$(realpath "$run_dir")" ]] || return 0
  mkdir -p "$run_dir/.heroku"
  ln -sfn "$python_dir" "$run_dir/.heroku/python"
}

finish_environment() {
  local site=$run_dir/.heroku/python/lib/python$python_minor/site-packages
  "$python" -I "$buildpack_dir/lib/relocate.py" "$python_dir/lib/python$python_minor/site-packages" "$build_dir" "$run_dir"
  # Bytecode that names its source by hash instead of time, and the path of run time instead of the build's.
  # Some packages carry templates and tests that do not compile, so a failure here means nothing.
  PYTHONHASHSEED=0 "$python" -m compileall -q --invalidation-mode unchecked-hash "$site" > /dev/null || true
}

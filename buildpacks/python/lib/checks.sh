# What the app asks for, compared with what this buildpack and the base can do.

check_requirements_file() {
  [[ ! -f requirements.txt ]] || return 0
  local file
  for file in uv.lock poetry.lock Pipfile.lock Pipfile pyproject.toml setup.py; do
    [[ -f $file ]] || continue
    fail "There is $file but no requirements.txt" \
      "This buildpack installs with pip, which reads requirements.txt." "$(how_to_write_requirements "$file")"
  done
  fail "There is no requirements.txt" \
    "It names the packages to install." "Add one at the app's root; an empty file means none."
}

how_to_write_requirements() {
  case $1 in
    uv.lock) echo "Run 'uv export --no-dev --format requirements-txt > requirements.txt' and commit it." ;;
    poetry.lock) echo "Run 'poetry export --output requirements.txt' and commit it." ;;
    Pipfile*) echo "Run 'pipenv requirements > requirements.txt' and commit it." ;;
    *) echo "Write a requirements.txt; the single line '.' installs the project itself." ;;
  esac
}

check_python_version() {
  local file wanted
  if [[ -f .python-version ]]; then
    file=.python-version
    wanted=$(grep -vE '^[[:space:]]*(#|$)' .python-version | head -n 1 | tr -d '[:space:]') || true
  elif [[ -f runtime.txt ]]; then
    file=runtime.txt
    wanted=$(tr -d '[:space:]' < runtime.txt)
    [[ $wanted == python-* ]] || wrong_version "$file" "$wanted" "python-$python_minor"
    wanted=${wanted#python-}
  else
    return 0
  fi
  [[ $wanted =~ ^([0-9]+\.[0-9]+)(\.[0-9]+)?$ ]] || wrong_version "$file" "$wanted" "$python_minor"
  if [[ ${BASH_REMATCH[1]} != "$python_minor" ]]; then
    fail "$file asks for Python $wanted, but the base has Python $python_version" \
      "This buildpack uses the base's Python, so that a patched base brings a patched Python." \
      "Choose a base with Python ${BASH_REMATCH[1]}, or write $python_minor into $file."
  fi
  if [[ -n ${BASH_REMATCH[2]} && $wanted != "$python_version" ]]; then
    warn "$file asks for Python $wanted; the base's Python $python_version is used." \
      "Patch releases come from the base: write $python_minor to accept them."
  fi
}

wrong_version() { # FILE FOUND EXAMPLE
  fail "$1 does not hold a Python version: '$2'" \
    "It must be a version such as $3 or $3.2." "Write '$3' into $1, or delete the file."
}

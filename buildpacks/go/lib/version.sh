# Which Go: the config var GOVERSION, else go.mod's heroku comment, toolchain line or go line.
# 1.25 and 1.25.x mean the newest patch release of 1.25; 1.25.4 means itself.

wanted_version() {
  local from word
  for from in GOVERSION heroku toolchain go; do
    word=$(version_word "$from")
    [[ -z $word || $word == default ]] || break
  done
  if [[ -z $word || $word == default ]]; then
    fail "go.mod does not say which Go it needs" \
      "It has neither a go line nor a toolchain line." "Run 'go mod tidy', or add a line such as 'go 1.25'."
  fi
  wanted=${word#go}
  if [[ ! $wanted =~ ^1\.[0-9]+((\.[0-9]+)|(\.x)|((rc|beta)[0-9]+))?$ ]]; then
    fail "'$word' is not a Go version" "It was found in $(version_place "$from")." "Write for instance '1.25' or '1.25.4'."
  fi
  detail "$(version_place "$from"): $wanted"
}

version_word() {
  case $1 in
    GOVERSION) printf '%s' "${GOVERSION:-}" ;;
    heroku) sed -nE 's#^//[[:space:]]*\+heroku[[:space:]]+goVersion[[:space:]]+([^[:space:]]+).*#\1#p' go.mod | head -n 1 ;;
    *) sed -nE "s#^$1[[:space:]]+([^[:space:]]+).*#\1#p" go.mod | tr -d '\r' | head -n 1 ;;
  esac
}

version_place() {
  case $1 in
    GOVERSION) echo "the config var GOVERSION" ;;
    heroku) echo "go.mod's comment '+heroku goVersion'" ;;
    *) echo "go.mod's $1 line" ;;
  esac
}

# 1.25.4 and 1.25rc1 are exact; 1.25 and 1.25.x are not.
is_exact() { [[ $wanted =~ ^1\.[0-9]+(\.[0-9]+|(rc|beta)[0-9]+)$ ]]; }

newest_patch() { # reads versions
  grep -xE "${wanted%.x}(\.[0-9]+)?" | LC_ALL=C sort -V | tail -n 1
}

at_least() { # VERSION MINIMUM
  [[ $(printf '%s\n%s\n' "$2" "$1" | LC_ALL=C sort -V | head -n 1) == "$2" ]]
}

# Where Go comes from: the base when it is new enough, go.dev (or its mirror at GO_DIST_URL), else the module proxy.
# Nothing is unpacked before its sum was compared: go.dev publishes SHA-256, the checksum database a module hash.

go_domain=golang.org
default_proxy=https://proxy.$go_domain

case $(uname -m) in
  x86_64) go_arch=amd64 ;;
  aarch64) go_arch=arm64 ;;
  *) go_arch= ;;
esac

choose_source() {
  go_source=${GO_SOURCE:-}
  go_home=${GO_DIST_URL:-https://go.dev/dl}
  go_home=${go_home%/}
  case $go_source in
    base | go.dev | proxy) return ;;
    "") ;;
    *) fail "GO_SOURCE is '$go_source'" "Only 'base', 'go.dev' and 'proxy' are known." "Set it to one of them or unset it." ;;
  esac
  if [[ -z ${GOVERSION:-} && -n $(base_version) ]] && at_least "$(base_version)" "${wanted%.x}"; then
    go_source=base
  elif fetch_list --connect-timeout 5 --max-time 60 2> /dev/null; then
    go_source=go.dev
  else
    go_source=proxy
    detail "$(without_password "$go_home") cannot be reached: taking Go from the module proxy"
  fi
}

base_version() { GOTOOLCHAIN=local go version 2> /dev/null | sed -nE 's/^go version go([^ ]+).*/\1/p' || true; }

fetch_list() { curl --fail --silent --show-error --location "$@" --output "$work_dir/list.json" "$go_home/?mode=json&include=all"; }

choose_version() {
  go_version=$wanted
  if [[ $go_source == base ]]; then
    go_version=$(base_version)
    [[ -n $go_version ]] || fail "GO_SOURCE is base, but the build base has no go" "" "Add the package golang to it, or unset GO_SOURCE."
    at_least "$go_version" "${wanted%.x}" || fail "The base's Go $go_version is older than $wanted" \
      "GO_SOURCE=base allows no other." "Use a newer base, or unset GO_SOURCE."
    detail "the base has Go $go_version"
  elif ! is_exact; then
    "list_${go_source//./_}" > "$work_dir/versions"
    go_version=$(newest_patch < "$work_dir/versions") || true
    [[ -n $go_version ]] || fail "No published Go matches $wanted" \
      "Looked at $go_source for linux-$go_arch." "Correct the version, for instance in go.mod's go line."
    detail "its newest patch release: $go_version"
  fi
}

list_go_dev() {
  [[ -f $work_dir/list.json ]] || fetch_list --retry 3
  jq --raw-output '.[].version | ltrimstr("go")' "$work_dir/list.json"
}

list_proxy() {
  choose_proxy
  fetch "$proxy/golang.org/toolchain/@v/list" "$work_dir/list"
  sed -nE "s/^v0\.0\.1-go(.+)\.linux-$go_arch\$/\1/p" "$work_dir/list"
}

# The first proxy of GOPROXY that is an address; "direct" and "off" are none.
choose_proxy() {
  for proxy in $(tr ',|' '  ' <<< "${GOPROXY:-$default_proxy}"); do
    proxy=${proxy%/}
    [[ $proxy != *://* ]] || return 0
  done
  fail "GOPROXY names no module proxy: '$GOPROXY'" \
    "Go itself has to come from one when go.dev cannot be reached." "Add a proxy's address to GOPROXY."
}

fetch() { # URL FILE
  curl --fail --silent --show-error --location --retry 3 \
    --connect-timeout "${CURL_CONNECT_TIMEOUT:-30}" --max-time "${CURL_TIMEOUT:-180}" --output "$2" "$1" \
    || fail "A download failed: $(without_password "$1")" "curl's message is above." "Check the network and the version asked for."
}

without_password() { sed -E 's#//[^/@]*@#//#' <<< "$1"; }

install_toolchain() {
  if [[ $go_source == base ]]; then
    go_root=$(GOTOOLCHAIN=local go env GOROOT)
    detail "from the base"
    return
  fi
  [[ -n $go_arch ]] || fail "Go is not published for this machine: $(uname -m)" "" "Build on x86_64 or aarch64."
  go_root=$cache_dir/toolchain/go$go_version-linux-$go_arch
  if [[ -x $go_root/bin/go ]]; then
    detail "from the cache"
    return
  fi
  rm -rf "$cache_dir/toolchain"
  mkdir -p "$cache_dir/toolchain" "$work_dir/go"
  "toolchain_from_${go_source//./_}" "$work_dir/go"
  mv "$work_dir/go" "$go_root"
}

toolchain_from_go_dev() {
  local file=go$go_version.linux-$go_arch.tar.gz sum found
  [[ -f $work_dir/list.json ]] || fetch_list --retry 3
  sum=$(jq --raw-output --arg file "$file" '.[].files[] | select(.filename == $file) | .sha256' "$work_dir/list.json")
  [[ -n $sum ]] || fail "go.dev does not publish $file" "" "Correct the version, for instance in go.mod's go line."
  fetch "$go_home/$file" "$work_dir/$file"
  found=$(sha256sum < "$work_dir/$file")
  [[ ${found%% *} == "$sum" ]] || fail "$file does not have the bytes go.dev names" \
    "Expected sha256 $sum, received ${found%% *}." "Try again; if it repeats, a proxy is changing downloads."
  tar -xzf "$work_dir/$file" -C "$1" --strip-components=1 --no-same-owner
}

toolchain_from_proxy() {
  local module=golang.org/toolchain version=v0.0.1-go$go_version.linux-$go_arch
  choose_proxy
  fetch "$proxy/$module/@v/$version.zip" "$work_dir/toolchain.zip"
  python3 -IB "$buildpack_dir/lib/module.py" \
    "$work_dir/toolchain.zip" "$module@$version" "$proxy/sumdb/sum.$go_domain" "$1" 2>&1 | indent \
    || fail "Go $go_version from the module proxy could not be verified" \
      "The reason is above; nothing of it was used." "Try again, or set GOPROXY to a proxy that serves the checksum database."
}

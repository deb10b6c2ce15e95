# npm's part: install, keep what can be kept for the next build, prune.

install_dependencies() {
  local key
  key=$(dependencies_key)
  if restore_dependencies "$key"; then
    detail "package-lock.json has not changed: node_modules comes from the cache"
    return
  fi
  npm_install 2>&1 | indent || fail "npm could not install the dependencies" \
    "npm's own message is above." \
    "Make '$(npm_install_words)' succeed on a clean checkout, and commit package-lock.json."
  keep_dependencies "$key"
}

npm_install_words() {
  if [[ -f package-lock.json && ${USE_NPM_INSTALL:-} != true ]]; then echo "npm ci"; else echo "npm install"; fi
}

npm_install() {
  local command
  read -r -a command <<< "$(npm_install_words)"
  if [[ ${command[1]} == install ]]; then command+=(--no-save); fi
  if [[ $install_production_only == true ]]; then command+=(--omit=dev); else command+=(--include=dev); fi
  if [[ ! -f package-lock.json ]]; then
    warn "There is no package-lock.json: each build may install other versions." \
      "Run 'npm install' and commit the package-lock.json it writes."
  fi
  "${command[@]}" "$(lock_option)"
}

# Without a lock file in the source none is left in the app.
lock_option() { if [[ -f package-lock.json ]]; then echo "--package-lock"; else echo "--no-package-lock"; fi; }

# node_modules of an unchanged lock file may be used again, unless scripts or local folders take part in making it.
dependencies_key() {
  [[ ${NODE_MODULES_CACHE:-true} != false && $(npm_install_words) == "npm ci" && ! -f binding.gyp ]] || return 0
  [[ -z $(manifest '.scripts | objects | (.preinstall, .install, .postinstall, .prepublish, .preprepare, .prepare, .postprepare, .dependencies, ."heroku-prebuild") | strings') ]] || return 0
  ! jq --exit-status '[.packages[]? | select(.link == true or (.resolved? // "" | startswith("file:")))] | length > 0' package-lock.json > /dev/null || return 0
  {
    printf '%s\n' "$node_source" "$node_arch" "$node_version" "$npm_version" "$NODE_ENV" "${STACK:-}"
    cat package.json package-lock.json
    cat .npmrc 2> /dev/null || true
    (cd "$env_dir" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum)
  } | sha256sum | cut -d ' ' -f 1
}

restore_dependencies() {
  local kept=$cache_dir/node_modules
  [[ -n $1 && -d $kept/node_modules && $(cat "$kept/key" 2> /dev/null) == "$1" ]] || return 1
  rm -rf node_modules
  cp -a "$kept/node_modules" node_modules
}

keep_dependencies() {
  local kept=$cache_dir/node_modules
  rm -rf "$kept"
  [[ -n $1 && -d node_modules ]] || return 0
  mkdir -p "$kept"
  cp -a node_modules "$kept/node_modules"
  printf '%s\n' "$1" > "$kept/key"
}

prune_dependencies() {
  if [[ $NODE_ENV != production || -n $install_production_only ]]; then
    detail "keeping what is installed: NODE_ENV=$NODE_ENV, NPM_CONFIG_PRODUCTION=$install_production_only"
    return
  fi
  [[ -d node_modules ]] || return 0
  heading "Removing development dependencies"
  npm prune --omit=dev --ignore-scripts "$(lock_option)" 2>&1 | indent || fail "npm could not remove the development dependencies" \
    "npm's own message is above." "Set NPM_CONFIG_PRODUCTION=false to keep them."
}

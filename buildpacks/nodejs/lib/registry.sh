# The npm registry: which one, what it has, and verified packages from it.

npm_domain=npmjs.org
default_registry=https://registry.$npm_domain

registry() {
  local address
  address=${NPM_CONFIG_REGISTRY:-${npm_config_registry:-$(npmrc_registry)}}
  address=${address:-$default_registry}
  printf '%s' "${address%/}"
}

npmrc_registry() {
  [[ -f $build_dir/.npmrc ]] || return 0
  sed -nE 's/^[[:space:]]*registry[[:space:]]*=[[:space:]]*"?([^"[:space:]]+)"?[[:space:]]*$/\1/p' \
    "$build_dir/.npmrc" | tail -n 1
}

registry_document() { # PACKAGE FILE
  fetch "$(registry)/$1" "$2" || fail "The npm registry did not answer for the package $1" \
    "curl's message is above; the registry asked is $(without_password "$(registry)")." \
    "Check the network, or set NPM_CONFIG_REGISTRY to a registry that can be reached."
  jq --exit-status '.versions | objects' "$2" > /dev/null 2>&1 || fail "The npm registry's answer for $1 is not a package" \
    "It has no list of versions; the registry asked is $(without_password "$(registry)")." \
    "Correct NPM_CONFIG_REGISTRY, or the registry line in .npmrc."
}

fetch_package() { # PACKAGE VERSION DOCUMENT FILE
  local url integrity
  read -r url integrity < <(jq --raw-output --arg version "$2" \
    '.versions[$version].dist | "\(.tarball) \(.integrity // "")"' "$3")
  # Mirrors often repeat the addresses of the default registry; npm replaces that host too.
  url=${url/#"$default_registry"/$(registry)}
  fetch_or_fail "$url" "$4"
  verify "$4" sha512 "$(integrity_to_hex "$integrity")"
}

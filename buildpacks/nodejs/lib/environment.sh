# Config vars come in, profile scripts, exports and the report go out.

not_for_the_build='^(PATH|HOME|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LD_LIBRARY_PATH|LIBRARY_PATH|LANG|BUILD_DIR|BASH_ENV|ENV|IFS)$'

load_config_vars() {
  local file name
  for file in "$1"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ $not_for_the_build ]] || continue
    export "$name=$(< "$file")"
  done
}

set_node_defaults() {
  # npm has its own word for this, --omit=dev, and warns about the old one.
  install_production_only=${NPM_CONFIG_PRODUCTION:-}
  unset NPM_CONFIG_PRODUCTION
  export NODE_ENV=${NODE_ENV:-production}
  export npm_config_cache=$cache_dir/npm
  export npm_config_logs_max=0
  export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false npm_config_progress=false
  # Otherwise node_modules would record which registry or mirror this build happened to use.
  export npm_config_omit_lockfile_registry_resolved=true
}

write_profile() {
  mkdir -p "$build_dir/.profile.d"
  install -m 0644 "$buildpack_dir"/profile/*.sh "$build_dir/.profile.d/"
}

write_export() {
  [[ -w $buildpack_dir ]] || return 0
  # shellcheck disable=SC2016 # PATH is for the shell that reads the file
  {
    printf 'export PATH=%q:"${PATH}"\n' "$node_dir/bin:$build_dir/node_modules/.bin"
    printf 'export NODE_HOME=%q\n' "$node_dir"
  } > "$buildpack_dir/export"
}

write_report() {
  cat > "$cache_dir/report.yml" <<YAML
node_version: "$node_version"
npm_version: "$npm_version"
node_source: "$node_source"
YAML
}

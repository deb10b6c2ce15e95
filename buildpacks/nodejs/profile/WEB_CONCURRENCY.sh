# How many workers fit into the memory of this container. Preset WEB_CONCURRENCY, WEB_MEMORY (MiB for one
# worker) or MEMORY_AVAILABLE (MiB for all) win over what is found here.

_memory_limit() {
  local file bytes
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    bytes=$(cat "$file" 2> /dev/null) || continue
    if [[ $bytes =~ ^[0-9]{1,13}$ ]] && ((bytes > 0)); then
      echo $((bytes / 1048576))
      return
    fi
  done
  echo 512
}

_web_concurrency() {
  export MEMORY_AVAILABLE=${MEMORY_AVAILABLE:-$(_memory_limit)}
  export WEB_MEMORY=${WEB_MEMORY:-512}
  [[ -z ${WEB_CONCURRENCY:-} ]] || return 0
  local workers=1
  if [[ $MEMORY_AVAILABLE =~ ^[0-9]+$ && $WEB_MEMORY =~ ^[1-9][0-9]*$ ]]; then
    workers=$((MEMORY_AVAILABLE / WEB_MEMORY))
  fi
  if ((workers < 1 || workers > 200)); then workers=1; fi
  export WEB_CONCURRENCY=$workers WEB_CONCURRENCY_SET_BY=pack-build/nodejs
  if [[ ${LOG_CONCURRENCY:-} == true ]]; then
    echo "$MEMORY_AVAILABLE MiB of memory, $WEB_MEMORY for each worker: WEB_CONCURRENCY=$WEB_CONCURRENCY" >&2
  fi
}

_web_concurrency
unset -f _memory_limit _web_concurrency

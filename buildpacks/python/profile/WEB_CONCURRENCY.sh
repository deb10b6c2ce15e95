# How many workers fit into this container: one for each 256 MiB, at most two for each processor and one more.
# A preset WEB_CONCURRENCY wins; MEMORY_AVAILABLE (MiB) replaces what is found here.

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
  [[ -z ${WEB_CONCURRENCY:-} ]] || return 0
  local workers=1 most=$((2 * $(nproc) + 1))
  if [[ $MEMORY_AVAILABLE =~ ^[0-9]+$ ]]; then workers=$((MEMORY_AVAILABLE / 256)); fi
  if ((workers > most)); then workers=$most; fi
  if ((workers < 1)); then workers=1; fi
  export WEB_CONCURRENCY=$workers WEB_CONCURRENCY_SET_BY=pack-build/python
}

_web_concurrency
unset -f _memory_limit _web_concurrency

#!/bin/bash -p
# Starts a process of the app, as Heroku's dynos do: this file is /pack-build/launcher, the image's entrypoint.
#
#   (no argument)        the default process: `web`, else the only one (never `release`)
#   TYPE [ARG…]          the command in /pack-build/processes/TYPE, shell text that sees ARG… as "$@"
#   TEXT                 any other single argument is shell text, like `echo $PORT && ls`
#   WORD WORD…           any other words are run exactly as they are, without a shell
#   -- TEXT | WORD…      the same, even when the first word is also the name of a process
#
# First come the app's profile scripts: /app/.profile.d/*.sh in byte order, then /app/.profile.
#
# The environment belongs to the app and may hold anything, so
#   - `bash -p` takes no functions, BASH_ENV, SHELLOPTS, CDPATH or GLOBIGNORE from it;
#   - every global of this file starts with __pb_, and none is exported;
#   - only builtins run, and no here-document, which older versions of bash keep in a temporary file.

unset "${!__pb_@}"

# Someone else's shell options (`errexit`, `posix`) would change what profile scripts mean; nothing below inherits them.
set +o posix
export -n SHELLOPTS BASHOPTS

__pb_processes=/pack-build/processes
__pb_stopping=''

# ---- Signals -------------------------------------------------------------------------------------------------------

# A stop reaches every process, each time it is asked for; the kernel leaves PID 1 itself out.
# shellcheck disable=SC2317 # called by a trap
signal_all() {
  __pb_stopping=$1
  kill -s "$1" -- -1
} 2>/dev/null

# Servers give the other signals meanings of their own (reload, reopen the log) which their workers may not share.
# `$!` is the child from the moment of the fork on.
# shellcheck disable=SC2317 # called by a trap
signal_child() {
  [[ -z $! ]] || kill -s "$1" -- "$!"
} 2>/dev/null

# PID 1 is immune to signals it has no handler for, hence the traps come before anything slow.
# A terminal sends its signals to the whole foreground group, the app included: forwarding would double them.
trap_signals() {
  local signal
  trap 'signal_all TERM' TERM
  for signal in HUP USR1 USR2; do
    # shellcheck disable=SC2064 # expands now on purpose
    trap "signal_child $signal" "$signal"
  done
  if { : </dev/tty; } 2>/dev/null; then
    trap : INT QUIT
  else
    trap 'signal_all INT' INT
    trap 'signal_child QUIT' QUIT
    trap 'signal_child WINCH' WINCH
  fi
}

# After a stop the first process is often a shell that dies at once, while the server it had started still finishes its
# requests. When PID 1 exits, the kernel kills the rest: so wait for them, up to the 30 seconds that the contract grants.
await_others() {
  local clock tenths
  exec {clock}<> <(:) || return # a pipe that nobody writes to: reading it is a builtin sleep
  for ((tenths = 0; tenths < 300; tenths++)); do
    kill -s 0 -- -1 || return
    read -r -t 0.1 -u "$clock"
  done
} 2>/dev/null

# ---- What to run ---------------------------------------------------------------------------------------------------

is_process() {
  [[ -n $1 && $1 != */* && $1 != .* && -f $__pb_processes/$1 ]]
}

default_process() {
  local LC_ALL=C file only=''
  if is_process web; then
    __pb_type=web
    return
  fi
  for file in "$__pb_processes"/*; do
    [[ -f $file && ${file##*/} != release ]] || continue
    [[ -z $only ]] || return
    only=${file##*/}
  done
  __pb_type=$only
}

# Sets __pb_type, the process's name, and __pb_command, the words to execute.
choose_command() {
  local text=''
  __pb_type='' __pb_command=()
  if (($# == 0)); then
    default_process
  elif is_process "$1"; then
    __pb_type=$1
    shift
  fi
  if [[ -n $__pb_type ]]; then
    IFS= read -r -d '' text <"$__pb_processes/$__pb_type"
    __pb_command=(/bin/bash -c "$text" bash "$@")
    return
  fi
  __pb_type=run
  [[ ${1-} != -- ]] || shift
  if (($# == 1)); then
    __pb_command=(/bin/bash -c "$1")
  else
    __pb_command=("$@")
  fi
}

list_processes() {
  local LC_ALL=C file text found=''
  echo 'pack-build: no process was named, and this image has no default one'
  for file in "$__pb_processes"/*; do
    [[ -f $file ]] || continue
    [[ -n $found ]] || echo 'Its process types are:'
    found=yes text=''
    IFS= read -r -d '' text <"$file"
    printf '  %s: %s\n' "${file##*/}" "$text"
  done
  [[ -n $found ]] || echo 'It has no process types; give a command, for example: bash'
}

# ---- Memory limit --------------------------------------------------------------------------------------------------

# Lowers __pb_limit to the bytes in the file, unless they say "no limit": a word, 0, or more than 8 TiB.
lower_limit() {
  local bytes=''
  { read -r bytes <"$1"; } 2>/dev/null
  [[ $bytes =~ ^[0-9]{1,13}$ ]] && ((10#$bytes > 0 && 10#$bytes <= 8 << 40)) || return
  ((__pb_limit > 0 && __pb_limit <= 10#$bytes)) || __pb_limit=$((10#$bytes))
}

# The limits of the group below a mount point and of the groups that hold it; the smallest counts. A container's own
# group often is the root of what it sees, so the mount point itself is always looked at.
lower_limit_along() {
  local mount=$1 group=${2%/} file
  shift 2
  while :; do
    for file; do lower_limit "$mount$group/$file"; done
    [[ $group == */* ]] || return
    group=${group%/*}
  done
}

# MEMORY_AVAILABLE (MiB) is what profile scripts size their worker counts by; they know no cgroup v2.
find_memory_limit() {
  local controllers group unified=/ memory=/
  __pb_limit=0
  if [[ -r /proc/self/cgroup ]]; then
    while IFS=: read -r _ controllers group; do
      [[ -n $controllers ]] || unified=$group
      [[ ,$controllers, != *,memory,* ]] || memory=$group
    done </proc/self/cgroup
  fi
  lower_limit_along /sys/fs/cgroup "$unified" memory.high memory.max
  lower_limit_along /sys/fs/cgroup/memory "$memory" memory.limit_in_bytes
}

# ---- Profile -------------------------------------------------------------------------------------------------------

# Writes __pb_program, the text of the one bash that sources the profile scripts and then becomes the command. It is a
# flat list, neither function nor loop: scripts may `return`, `declare -x`, `break` or `set --` without harm.
write_program() {
  local LC_ALL=C file
  __pb_program=$'set +p\n'
  for file in /app/.profile.d/*.sh /app/.profile; do
    [[ ! -f $file ]] || __pb_program+="source ${file@Q}"$'\n'
  done
  __pb_program+="exec -- ${__pb_command[*]@Q}"
}

# ---- Start ---------------------------------------------------------------------------------------------------------

(($$ != 1)) || trap_signals

choose_command "$@"
if ((${#__pb_command[@]} == 0)); then
  list_processes >&2
  exit 1
fi

cd /app || exit 1
unset OLDPWD
export HOME=/app
# Without PATH in the environment bash makes up one, which it does not export.
[[ -n $PATH && ${PATH@a} == *x* ]] || export PATH=/usr/local/bin:/usr/bin:/bin
# An empty port or memory size means nothing, so it counts as unset; an empty DYNO says that this is no dyno.
[[ $__pb_type != web || -n ${PORT-} ]] || export PORT=8080
[[ -v DYNO ]] || export DYNO="$__pb_type.1"
if [[ -z ${MEMORY_AVAILABLE-} ]]; then
  find_memory_limit
  ((__pb_limit < 1 << 20)) || export MEMORY_AVAILABLE=$((__pb_limit >> 20))
fi
write_program 2>/dev/null # leaving its LC_ALL again can bring a warning about the locale

# Below another init, or in `podman exec`, the duties of PID 1 are someone else's.
(($$ == 1)) || exec /bin/bash -p -c "$__pb_program" bash

# Left alone, a background command reads /dev/null and ignores INT and QUIT; the app shall do neither.
{ : 3<&0; } 2>/dev/null || exec </dev/null # a closed stdin
{ : 3>&2; } 2>/dev/null || exec 2>/dev/null
exec {__pb_stderr}>&2 2>/dev/null # else bash would comment on how the app ended
(
  exec 2>&"$__pb_stderr" {__pb_stderr}>&-
  trap - INT QUIT TERM
  # A stop that was asked for before the fork found nobody to tell.
  [[ -z $__pb_stopping ]] || kill -s "$__pb_stopping" "$BASHPID"
  exec /bin/bash -p -c "$__pb_program" bash
) <&0 &
__pb_child=$!
exec {__pb_stderr}>&-

# `wait` also reaps every orphan. A signal ends it early, and bash may also take an old signal for a new one; so its status
# counts only once the child is gone: then it has nothing to wait for that a signal could end, and repeats what it knows.
wait "$__pb_child"
while kill -s 0 -- "$__pb_child"; do wait "$__pb_child"; done
wait "$__pb_child"
__pb_status=$?
[[ -z $__pb_stopping ]] || await_others
exit "$__pb_status"

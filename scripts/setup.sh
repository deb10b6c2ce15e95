#!/usr/bin/env bash
# Installs the system packages that pack-build works with, where they are missing.
#
#   scripts/setup.sh          what it needs to make a base, and to build and run apps (the group `run`)
#   scripts/setup.sh test     what its own tests need on top, and crane (scripts/crane.sh)
set -euo pipefail

run=(bubblewrap ca-certificates debian-archive-keyring git gpg iproute2 mmdebstrap slirp4netns uidmap zstd)
test=(apache2-utils buildah bzip2 curl docker-registry fuse-overlayfs jq netavark pigz podman procps python3 runc shellcheck skopeo umoci xz-utils)

main() {
  local wanted=("${run[@]}") group with_crane=0
  for group in "$@"; do
    case $group in
      run) ;;
      test) wanted+=("${test[@]}") with_crane=1 ;;
      *) stop "unknown group: $group" "usage: scripts/setup.sh [run] [test]" ;;
    esac
  done

  if ! command -v apt-get > /dev/null; then
    stop "this is not Debian or Ubuntu: there is no apt-get" \
      "install the counterparts of these packages yourself: ${wanted[*]}"
  fi
  # Whoever has a Go, from wherever, needs no other.
  if ((with_crane)) && ! [[ -x $(command -v go || command -v /usr/local/go/bin/go) ]]; then wanted+=(golang-go); fi
  local missing
  mapfile -t missing < <(missing_of "${wanted[@]}")
  if ((${#missing[@]} == 0)); then say "nothing to install"; else install_all "${missing[@]}"; fi
  if ((with_crane)); then bash "$(dirname "$0")/crane.sh" > /dev/null; fi
}

install_all() {
  local missing=("$@")
  become_root
  say "installing ${missing[*]}"
  # The lists may be there and current; to fetch them again can take longer than to install.
  install "${missing[@]}" 2> /dev/null ||
    { "${as_root[@]}" apt-get "${options[@]}" update && install "${missing[@]}"; } ||
    stop "apt-get could not install: ${missing[*]}" \
      "see its messages above; on an older system some packages may have no candidate"
}

options=(-qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${options[@]}" -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$@" > /dev/null
}

missing_of() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$name" 2> /dev/null) == installed ]] || echo "$name"
  done
}

as_root=()

become_root() {
  if ((EUID == 0)); then return; fi
  command -v sudo > /dev/null || stop "packages are missing, and there is no sudo" "run scripts/setup.sh as root"
  as_root=(sudo)
  sudo true
}

say() {
  echo "setup: $1" >&2
}

stop() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

main "$@"

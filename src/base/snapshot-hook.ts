/** The hook that takes the tree as it is now as `NAME.tar`, with the list of its packages as `NAME.packages`. */
export function snapshotHook(name: 'run' | 'build'): string {
  const excludes = LEFT_OUT.map((pattern) => `  --exclude='${pattern}'`).join(' \\\n');
  return `set -eu
cd "$1"
direct=no out=$PWD/pack-build
if [ -w "$PACK_BUILD_OUT" ]; then direct=yes out=$PACK_BUILD_OUT/${name}; fi
${NEUTRAL_FILES}
${sourcesList(name)}
printf 'version\\t%s\\n' "$(cat etc/debian_version)" > "$out.packages"
chroot . dpkg-query --show --showformat '\${Package}\\t\${Version}\\t\${Architecture}\\n' >> "$out.packages"
pack() {
  tar --file="$out.tar" --format=pax --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \\
    --sort=name --numeric-owner --mtime="@$PACK_BUILD_MTIME" --one-file-system --anchored --wildcards "$@"
}
pack --create \\
${excludes} \\
  .
# What is mounted has the modes and owners of the mount.
mkdir -p -m 0755 pack-build.mounts/dev pack-build.mounts/proc pack-build.mounts/sys
pack --append --directory=pack-build.mounts ./dev ./proc ./sys
mv pack-build.sources etc/apt/sources.list
if [ "$direct" = yes ]; then exit 0; fi
for kind in tar packages; do
  "$MMDEBSTRAP_ARGV0" --hook-helper "$1" "$MMDEBSTRAP_MODE" "$MMDEBSTRAP_HOOK" env "$MMDEBSTRAP_VERBOSITY" \\
    download "/pack-build.$kind" "$PACK_BUILD_OUT/${name}.$kind" <&"$MMDEBSTRAP_HOOKSOCK" >&"$MMDEBSTRAP_HOOKSOCK"
  rm "pack-build.$kind"
done`;
}

/** Nothing of the host: empty files are the mount points that containers and sandboxes need. */
const NEUTRAL_FILES = `for file in resolv.conf hostname hosts; do
  rm -f "etc/$file"
  : > "etc/$file"
done
if [ -e etc/machine-id ]; then : > etc/machine-id; fi`;

/**
 * What apt in the image is told of its archive. Nothing in the run image, which so has the same digest wherever its
 * packages came from; the mirrors, without credentials and host paths, in the build image, where buildpacks use apt.
 */
function sourcesList(name: 'run' | 'build'): string {
  const forImage = name === 'run' ? ':' : "sed -E 's#//[^/@ ]*@#//#; s# \\[[^]]*\\]##' pack-build.sources";
  return `: >> etc/apt/sources.list
find etc/apt/sources.list etc/apt/sources.list.d -name '*.list' -type f -exec cat {} + > pack-build.sources
${forImage} > etc/apt/sources.list`;
}

/** Never part of an image: what is mounted, what the next start makes anew, and what differs from one run to the next. */
const LEFT_OUT = [
  './dev',
  './proc',
  './sys',
  './run/*',
  './tmp/*',
  './var/tmp/*',
  './pack-build.*',
  './etc/apt/apt.conf.d/00mmdebstrap',
  './etc/apt/sources.list.d/*',
  './etc/dpkg/dpkg.cfg.d/pack-build-bootstrap',
  './etc/passwd-',
  './etc/group-',
  './etc/shadow-',
  './etc/gshadow-',
  './etc/subuid-',
  './etc/subgid-',
  './usr/sbin/policy-rc.d',
  './var/cache/apt/*',
  './var/cache/debconf/*-old',
  './var/cache/ldconfig/aux-cache',
  './var/lib/apt/lists/*',
  './var/lib/dbus/machine-id',
  './var/lib/dpkg/*-old',
  './var/log/*.log',
  './var/log/apt/*',
];

/** Where the hooks find what varies, so that no value becomes part of a script or of a process list. */
export interface HookSettings {
  /** Where the results go. */
  readonly workDir: string;
  readonly mtime: number;
  readonly security: boolean;
  /** What the user wants on top of the run packages. */
  readonly include: readonly string[];
  readonly buildPackages: readonly string[];
  /** Lines of apt.conf that hold for the bootstrap only. */
  readonly aptAccess: readonly string[];
}

/** The environment variables that the hooks read. */
export function hookEnvironment(settings: HookSettings): Readonly<Record<string, string>> {
  return {
    PACK_BUILD_OUT: settings.workDir,
    PACK_BUILD_MTIME: String(settings.mtime),
    PACK_BUILD_SECURITY: settings.security ? 'on' : 'off',
    PACK_BUILD_INCLUDE: settings.include.join(' '),
    PACK_BUILD_BUILD_PACKAGES: settings.buildPackages.join(' '),
    PACK_BUILD_APT_ACCESS: settings.aptAccess.map((line) => `${line}\n`).join(''),
    SOURCE_DATE_EPOCH: String(settings.mtime),
  };
}

/**
 * Before anything is fetched: settings that stay in the image (no documentation, no recommended packages) and settings
 * that do not (speed, retries, the host's proxies). mmdebstrap's own `path-exclude` would filter each package through
 * Python, which takes longer than all else.
 */
export const SETUP_HOOK = `set -eu
cd "$1"
mkdir -p etc/apt/apt.conf.d etc/dpkg/dpkg.cfg.d var/cache/apt/archives
cat > etc/dpkg/dpkg.cfg.d/pack-build <<'END'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
path-exclude=/usr/bin/*lto-dump*
path-exclude=/usr/lib/*/libicu*.a
path-exclude=/usr/lib/python3*/config-*/libpython*.a
END
cat > etc/apt/apt.conf.d/99pack-build <<'END'
APT::Install-Recommends "false";
Acquire::Languages "none";
END
echo force-unsafe-io > etc/dpkg/dpkg.cfg.d/pack-build-bootstrap
printf '%s' "$PACK_BUILD_APT_ACCESS" >> "$MMDEBSTRAP_APT_CONFIG"
echo 'Acquire::Retries "3";' >> "$MMDEBSTRAP_APT_CONFIG"
if [ "$PACK_BUILD_SECURITY" = off ] && [ -f etc/apt/sources.list ]; then
  sed -i '/-security /d' etc/apt/sources.list
fi`;

/** As soon as apt knows the archive: a name that the user mistyped should stop the work now, not in a minute. */
export const CHECK_HOOK = `set -eu
if [ -z "$PACK_BUILD_INCLUDE" ]; then exit 0; fi
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --simulate --quiet=2 install $PACK_BUILD_INCLUDE > /dev/null`;

/** The first packages are unpacked by tar, which knows no \`path-exclude\`. */
export const SLIM_HOOK = `set -eu
cd "$1/usr/share"
rm -rf info/* lintian/* locale/* man/*
find doc -mindepth 1 ! -type d ! -name copyright -delete
find doc -mindepth 1 -type d -empty -delete`;

/** Installs the build packages in the tree that the run image was taken from. apt runs outside, as it did for the first. */
export const INSTALL_HOOK = `set -eu
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --quiet \\
  -o Dir::Bin::dpkg=env -o DPkg::Options::=--unset=TMPDIR -o DPkg::Options::=dpkg -o "DPkg::Chroot-Directory=$1" \\
  install $PACK_BUILD_BUILD_PACKAGES`;

/** Makes the user that buildpacks and apps run as (R43), with the home directory that \`HOME\` names. */
export const USER_HOOK = `set -eu
chroot "$1" groupadd --gid 1000 heroku
chroot "$1" useradd --uid 1000 --gid 1000 --home-dir /app --no-create-home --shell /bin/bash heroku
mkdir -m 0755 "$1/app"
chown 1000:1000 "$1/app"`;

/** After the kept packages were brought in: what is changed later was fetched. */
export const MARK_HOOK = 'touch "$1/pack-build.start"';

/** Leaves in apt's archive directory only what this bootstrap fetched, to be kept for the next one. */
export const FETCHED_HOOK = `set -eu
cd "$1/var/cache/apt/archives"
rm -rf lock partial
find . -type f ! -cnewer "$1/pack-build.start" -delete`;

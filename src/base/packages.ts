import { fail } from '../values/error.js';

/** What a program needs at run time: a shell and its tools, an interpreter or two, and the libraries apps often link to. */
export const RUN_PACKAGES: readonly string[] = [
  'bash',
  'bzip2',
  'ca-certificates',
  'curl',
  'file',
  'gawk',
  'hostname',
  'jq',
  'less',
  'libffi8',
  'libgomp1',
  'libpq5',
  'libsqlite3-0',
  'libstdc++6',
  'libxml2',
  'libyaml-0-2',
  'netbase',
  'openssl',
  'passwd',
  'perl',
  'procps',
  'python3',
  'tzdata',
  'unzip',
  'util-linux',
  'xz-utils',
  'zstd',
];

/** What buildpacks need on top (R44), and what native modules of npm, pip and gem are compiled with. */
export const BUILD_PACKAGES: readonly string[] = [
  'autoconf',
  'automake',
  'build-essential',
  'git',
  'libbz2-dev',
  'libcurl4-openssl-dev',
  'libffi-dev',
  'liblzma-dev',
  'libncurses-dev',
  'libpq-dev',
  'libreadline-dev',
  'libsqlite3-dev',
  'libssl-dev',
  'libxml2-dev',
  'libyaml-dev',
  'openssh-client',
  'patch',
  'pkg-config',
  'python3-dev',
  'python3-pip',
  'python3-venv',
  'rsync',
  'wget',
  'zip',
  'zlib1g-dev',
];

/** Checks names before they become arguments of a program: `NAME` or `NAME=VERSION` (Debian policy, 5.6.1 and 5.6.12). */
export function parsePackageNames(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9+.-]+(?:=[A-Za-z0-9.+:~-]+)?$/.test(name));
  if (wrong === undefined) return [...new Set(names)].sort();
  throw fail('USAGE', {
    what: `${JSON.stringify(wrong)} is not the name of a Debian package`,
    why: 'a name has lower-case letters, digits and `+-.`; a version may follow after `=`',
    fix: 'write --include imagemagick,libvips42',
  });
}

/** One installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** What a tree was made of. */
export interface Inventory {
  /** The release as `/etc/debian_version` tells it. */
  readonly version: string;
  /** As dpkg names it. */
  readonly architecture: string;
  readonly packages: readonly InstalledPackage[];
}

/** Reads a list that a snapshot wrote: the release, then name, version and architecture of each package, with tabs between. */
export function parseInventory(text: string): Inventory {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const packages = lines.map((line): InstalledPackage => {
    const [name = '', version = '', architecture = ''] = line.split('\t');
    return { name, version, architecture };
  });
  const dpkg = packages.find(({ name }) => name === 'dpkg');
  return { version: head.split('\t')[1] ?? '', architecture: dpkg?.architecture ?? 'all', packages };
}

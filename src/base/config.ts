import { LAYER_MTIME } from '../archive/tar-header.js';
import type { HistoryEntry, ImageConfig } from '../oci/documents.js';
import { type DiffId, digestOf, hexOf } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { Platform } from '../values/platform.js';
import type { InstalledPackage } from './packages.js';
import type { Suite } from './suites.js';

/** What the config of a base tells of it. */
export interface BaseFacts {
  readonly suite: Suite;
  readonly kind: 'run' | 'build';
  /** The point release: `12.11`. */
  readonly version: string;
  /** As dpkg names it: `amd64`. */
  readonly architecture: string;
  readonly security: boolean;
  readonly packages: readonly InstalledPackage[];
  /** Lowest first: the run tree, and for a build base what is added to it. */
  readonly diffIds: readonly DiffId[];
}

/** Labels that only bases made here have. */
export const SECURITY_LABEL = 'dev.pack-build.base.security';
export const PACKAGES_LABEL = 'dev.pack-build.base.packages';

/**
 * The image configuration of a bootstrapped base. A function of its facts alone: no clock, no host.
 * It is labelled as what it is (`debian-12`), never as a Heroku stack.
 */
export function baseConfig(facts: BaseFacts): ImageConfig {
  const { suite, kind, diffIds } = facts;
  const created = new Date(LAYER_MTIME * 1000).toISOString().replace('.000Z', 'Z');
  const contents = kind === 'run' ? [suite.title] : [suite.title, 'compilers and headers'];
  return {
    created,
    ...platformOfDebian(facts.architecture),
    config: {
      User: '1000:1000',
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
      Cmd: ['/bin/bash'],
      WorkingDir: '/app',
      Labels: labels(facts),
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(
      (_, at): HistoryEntry => ({
        created,
        created_by: `pack-build base create ${suite.name}`,
        comment: contents[at] ?? contents.at(-1) ?? suite.title,
      }),
    ),
  };
}

/** The platform of a Debian architecture (dpkg-architecture(1), `DEB_HOST_ARCH`). Throws `BASE_CREATE_FAILED`. */
export function platformOfDebian(architecture: string): Platform {
  const known = ARCHITECTURES[architecture];
  if (known !== undefined) return { os: 'linux', ...known };
  throw fail('BASE_CREATE_FAILED', {
    what: `images of the architecture ${architecture} cannot be named`,
    why: `known architectures: ${Object.keys(ARCHITECTURES).join(', ')}`,
    details: { architecture },
  });
}

const ARCHITECTURES: Readonly<Record<string, Omit<Platform, 'os'>>> = {
  amd64: { architecture: 'amd64' },
  arm64: { architecture: 'arm64' },
  armel: { architecture: 'arm', variant: 'v5' },
  armhf: { architecture: 'arm', variant: 'v7' },
  i386: { architecture: '386' },
  mips64el: { architecture: 'mips64le' },
  ppc64el: { architecture: 'ppc64le' },
  riscv64: { architecture: 'riscv64' },
  s390x: { architecture: 's390x' },
};

function labels({ suite, kind, version, security, packages }: BaseFacts): Readonly<Record<string, string>> {
  const digest = packagesDigest(packages);
  return {
    [PACKAGES_LABEL]: digest,
    [SECURITY_LABEL]: security ? 'on' : 'off',
    'io.buildpacks.base.distro.name': suite.distribution,
    'io.buildpacks.base.distro.version': suite.version,
    'io.buildpacks.stack.id': suite.name,
    'org.opencontainers.image.title': `${suite.title} ${kind} base`,
    'org.opencontainers.image.version': `${version}-${hexOf(digest).slice(0, 12)}`,
  };
}

/** Names a set of packages: equal for equal names, versions and architectures, in whatever order. */
export function packagesDigest(packages: readonly InstalledPackage[]) {
  const lines = packages.map(({ name, version, architecture }) => `${name}\t${version}\t${architecture}\n`);
  return digestOf(Buffer.from(lines.sort().join('')));
}

import { fail } from '../values/error.js';
import type { Suite } from './suites.js';

/** One place the host's apt takes packages from. */
export interface AptSource {
  readonly uri: string;
  /** As the host's configuration names it: `bookworm`, `bookworm-updates`, `stable-security`. */
  readonly release: string;
  /** What the archive says of itself; unknown while apt has not fetched its lists. */
  readonly origin: string | undefined;
}

/** What `apt-get indextargets` is asked to print. */
export const TARGET_FORMAT = '$(REPO_URI)|$(RELEASE)|$(ORIGIN)';

/** Reads the output of `apt-get indextargets --format TARGET_FORMAT`. It is empty when apt has fetched no lists. */
export function parseTargets(text: string): readonly AptSource[] {
  const lines = [...new Set(text.split('\n'))].filter((line) => line.includes('|'));
  return lines.map((line) => {
    const [uri = '', release = '', origin = ''] = line.split('|');
    return { uri, release, origin };
  });
}

/** Reads the output of `apt-get update --print-uris`, which needs no lists. */
export function parseUris(text: string): readonly AptSource[] {
  return [...text.matchAll(/^'([^']+?\/)dists\/([^']+)\/InRelease' /gm)].map(([, uri = '', release = '']) => ({
    uri,
    release,
    origin: undefined,
  }));
}

/**
 * The lines of sources.list a suite is made from, on the mirrors of the host: the release, its updates, and with
 * `security` its security fixes. Empty when the host knows no mirror of the distribution; then mmdebstrap has its own.
 * Throws `BASE_CREATE_FAILED` when the host knows the archive, but not where the security fixes are.
 */
export function mirrorLines(
  suite: Suite,
  sources: readonly AptSource[],
  security: boolean,
  keyring: string | undefined,
): readonly string[] {
  const archives = archivesOf(suite, sources);
  if (archives.length === 0) return [];
  const option = keyring === undefined ? '' : ` [signed-by=${keyring}]`;
  const line = (uri: string, release: string) => `deb${option} ${uri} ${release} main`;
  return [
    ...archives.map((uri) => line(uri, suite.codename)),
    ...archives.map((uri) => line(uri, `${suite.codename}-updates`)),
    ...(security ? fixesOf(suite, sources).map((uri) => line(uri, `${suite.codename}-security`)) : []),
  ];
}

/** The releases an archive of Debian has; a mirror that has one of them has the others. */
const RELEASES = /^(?:bullseye|bookworm|trixie|forky|sid|unstable|testing|stable|oldstable|oldoldstable)$/;

/** Third parties name their releases like the distribution's, but have no `-updates` beside them. */
function archivesOf(suite: Suite, sources: readonly AptSource[]): readonly string[] {
  const ours = sources.filter(({ origin }) => isOrigin(suite, origin));
  const whole = ours.filter(({ uri, release, origin }) => {
    const hasUpdates = ours.some((other) => other.uri === uri && other.release === `${release}-updates`);
    return RELEASES.test(release) && (hasUpdates || origin !== undefined);
  });
  return urisOf(whole, suite.codename);
}

function fixesOf(suite: Suite, sources: readonly AptSource[]): readonly string[] {
  const fixes = sources.filter(({ release, origin }) => {
    return isOrigin(suite, origin) && RELEASES.test(release.replace(/-security$/, '')) && release.endsWith('-security');
  });
  if (fixes.length > 0) return urisOf(fixes, `${suite.codename}-security`);
  throw fail('BASE_CREATE_FAILED', {
    what: `apt on this machine knows no mirror of ${suite.title}'s security fixes`,
    why: `its sources have mirrors of ${suite.title}, but none of ${suite.codename}-security`,
    fix: `add ${suite.codename}-security to /etc/apt/sources.list, or leave the fixes out: --security off`,
    details: { suite: suite.name },
  });
}

/** The mirrors that are configured for this very release, else all. */
function urisOf(sources: readonly AptSource[], release: string): readonly string[] {
  const exact = sources.filter((source) => source.release === release);
  return [...new Set((exact.length > 0 ? exact : sources).map(({ uri }) => uri))];
}

function isOrigin(suite: Suite, origin: string | undefined): boolean {
  return origin === undefined || origin.toLowerCase() === suite.distribution;
}

import { fail, type PackBuildError } from '../values/error.js';
import type { Suite } from './suites.js';

/** What a bootstrap that failed printed last, and how it ended. */
export interface FailedBootstrap {
  readonly suite: Suite;
  readonly code: number | undefined;
  readonly lines: readonly string[];
}

/** What mmdebstrap says of its own steps when the line before has said why. */
const ECHO = /^E: (?:setup failed|mmdebstrap failed to run|command failed|apt-get .* failed$)/;

interface Explanation {
  readonly what: string;
  readonly fix: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** The error for a bootstrap that failed, with the cause where mmdebstrap's and apt's words tell it. */
export function bootstrapFailure({ suite, code, lines }: FailedBootstrap): PackBuildError {
  const seen = lines.map(withoutCredentials).filter((line) => line.trim() !== '' && !ECHO.test(line));
  const why = seen.filter((line) => /^E: |^W: Failed|rror/.test(line)).slice(-8);
  const shown = why.length > 0 ? why : seen.slice(-8);
  const all = seen.join('\n');
  if (/No space left on device/.test(all)) {
    return fail('DISK_FULL', {
      what: `the disk filled up while the base ${suite.name} was made`,
      why: shown.join('\n'),
      fix: 'free 2 GB, or set TMPDIR to a directory on a larger disk',
    });
  }
  const explained = explain(all, suite) ?? { what: `mmdebstrap could not make the base ${suite.name}`, fix: undefined };
  return fail('BASE_CREATE_FAILED', {
    what: explained.what,
    why: [`mmdebstrap ended with exit status ${code ?? 'unknown'}; its last lines:`, ...shown].join('\n  '),
    fix: explained.fix,
    details: { suite: suite.name, ...('details' in explained ? explained.details : {}) },
  });
}

function explain(text: string, suite: Suite): Explanation | undefined {
  const missing = MISSING_PACKAGE.map((pattern) => pattern.exec(text)?.[1]).find((name) => name !== undefined);
  if (missing !== undefined) {
    return {
      what: `${suite.title} has no package ${missing} that can be installed`,
      fix: `take ${missing} out of --include, or correct its name`,
      details: { package: missing },
    };
  }
  const found = CAUSES.find(([pattern]) => pattern.test(text));
  return found && { what: found[1](suite), fix: found[2] };
}

const MISSING_PACKAGE = [
  /Unable to locate package (\S+)/,
  /Package '?([^\s']+)'? has no installation candidate/,
  /Version '\S+' for '([^\s']+)' was not found/,
  /Couldn't find any package by (?:glob|regex) '([^']+)'/,
];

const CAUSES: readonly (readonly [RegExp, (suite: Suite) => string, string])[] = [
  [
    /newuidmap|newgidmap|\/etc\/sub[ug]id|unshare syscall failed|unshare the user namespace/,
    () => 'an ordinary user cannot make a base on this machine yet',
    'run as root, or: sudo apt-get install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
  ],
  [
    /unshare(?: failed)?: .*(?:not permitted|denied)|unable to unshare the mount namespace|filesystem propagation/i,
    () => 'this container does not let root make mounts, which making a base needs',
    'start the container with `--cap-add SYS_ADMIN --security-opt seccomp=unconfined`, or make the base outside of it',
  ],
  [
    /NO_PUBKEY|is not signed|public key is not available|no valid OpenPGP data/,
    (suite) => `the archive of ${suite.title} could not be verified with this machine's keys`,
    'sudo apt-get install debian-archive-keyring',
  ],
  [
    /Failed to fetch|Could not (?:resolve|connect)|Temporary failure|Connection (?:failed|refused|timed out)|does not have a Release file|404 /,
    (suite) => `packages of ${suite.title} could not be fetched`,
    'check the network and the mirrors in /etc/apt/sources.list and /etc/apt/sources.list.d, then run `apt-get update` and retry',
  ],
];

function withoutCredentials(line: string): string {
  return line.replace(/\/\/[^/@\s]*@/g, '//');
}

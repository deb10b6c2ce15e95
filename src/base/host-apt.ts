import { access } from 'node:fs/promises';
import { runProcess } from '../system/process.js';
import { withTempDir } from '../system/tempdir.js';
import { type AptSource, mirrorLines, parseTargets, parseUris, TARGET_FORMAT } from './mirrors.js';
import type { Suite } from './suites.js';

export interface HostQuestion {
  readonly suite: Suite;
  readonly security: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** What a bootstrap takes over from the apt of the host. */
export interface HostApt {
  /** Lines of sources.list; none when the host knows no mirror of the distribution. */
  readonly mirrors: readonly string[];
  /** Lines of apt.conf: the host's proxies and certificates. They may hold secrets. */
  readonly access: readonly string[];
}

/** Where the distribution's keys are, in the order of preference. */
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

/**
 * Asks apt on this machine for its mirrors and for how to reach them, so that a base comes from where the machine's own
 * packages come from. Throws `TOOL_MISSING`, `INTERRUPTED`, and `BASE_CREATE_FAILED` as `mirrorLines` does.
 */
export async function askHostApt(question: HostQuestion): Promise<HostApt> {
  const sources = await sourcesOf(question);
  const mirrors = mirrorLines(question.suite, sources, question.security, await firstThatExists(KEYRINGS));
  return { mirrors, access: accessLines(await ask(question, 'apt-config', ['dump', 'Acquire'])) };
}

/** The settings that say how to reach a mirror, of what `apt-config dump` printed. mmdebstrap's apt reads none of the host's. */
export function accessLines(dump: string): readonly string[] {
  return dump.split('\n').filter((line) => /^Acquire::https?::\S+ "[^"]+";$/.test(line));
}

async function sourcesOf(question: HostQuestion): Promise<readonly AptSource[]> {
  const targets = parseTargets(await ask(question, 'apt-get', ['indextargets', '--format', TARGET_FORMAT]));
  if (targets.length > 0) return targets;
  return await withTempDir('pack-build-apt', undefined, async (dir) => {
    return parseUris(await ask(question, 'apt-get', ['-o', `Dir::State::Lists=${dir}`, 'update', '--print-uris']));
  });
}

/** What a question to apt was answered with; nothing where apt is not configured. */
async function ask({ env, signal }: HostQuestion, file: string, args: readonly string[]): Promise<string> {
  const { code, stdout } = await runProcess({ file, args, env, signal, timeoutMs: 60_000 });
  return code === 0 ? Buffer.from(stdout).toString('utf8') : '';
}

async function firstThatExists(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

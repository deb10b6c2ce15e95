import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessResult } from '../system/process.js';
import { removeTree } from '../system/remove.js';
import { fail } from '../values/error.js';
import { durationText, linesText } from './exit-text.js';
import { type GitOptions, runGit } from './git.js';
import { redactUrl } from './redact.js';

export interface GitSource {
  /** For messages, without credentials. */
  readonly id: string;
  readonly url: string;
  /** A branch, a tag or a commit, also an abbreviated one. The remote's HEAD if absent. */
  readonly ref?: string | undefined;
}

/**
 * Checks out one commit into a directory that does not exist yet, without history, `.git` and submodules, and returns the
 * commit's id (R2, R9, R10). A branch or tag is fetched alone; a commit that the server does not give alone is looked for
 * in the whole history. A remote is tried three times. Throws `BUILDPACK_FETCH_FAILED`, `TOOL_MISSING`, `INTERRUPTED`.
 */
export async function fetchGit(source: GitSource, into: string, options: GitOptions): Promise<string> {
  const git = (args: readonly string[]) => runGit(['-C', into, ...args], options);
  const must = async (result: Promise<ProcessResult>) => {
    const done = await result;
    if (done.code !== 0) throw failed(source, done, options.timeoutMs);
    return new TextDecoder().decode(done.stdout).trim();
  };
  await must(runGit(['init', '--quiet', '--template=', into], options));
  const wanted = source.ref ?? 'HEAD';
  const alone = await tried(source, () => git([...FETCH, '--depth=1', '--', source.url, wanted]), options);
  if (alone.code !== 0 && !/^[0-9a-f]{7,64}$/.test(wanted)) throw failed(source, alone, options.timeoutMs);
  if (alone.code !== 0) await must(tried(source, () => git([...FETCH, '--', source.url, ...ALL_REFS]), options));
  const found = await git([
    'rev-parse',
    '--verify',
    '--end-of-options',
    `${alone.code === 0 ? 'FETCH_HEAD' : wanted}^{commit}`,
  ]);
  if (found.code !== 0) throw noSuchRef(source, wanted);
  const commit = new TextDecoder().decode(found.stdout).trim();
  await must(git(['checkout', '--quiet', '--detach', commit]));
  await removeTree(`${into}/.git`);
  return commit;
}

const FETCH = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'] as const;
const ALL_REFS = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] as const;
const TRIES = 3;

/** Only what a network may have caused is worth another try. */
async function tried(
  source: GitSource,
  run: () => Promise<ProcessResult>,
  options: GitOptions,
): Promise<ProcessResult> {
  const tries = source.url.startsWith('/') || source.url.startsWith('file:') ? 1 : TRIES;
  for (let attempt = 1; ; attempt += 1) {
    const result = await run();
    const final = result.code === 0 || attempt === tries || FINAL.test(result.lastLines.join('\n'));
    if (final) return result;
    await sleep(attempt * 500, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

const FINAL =
  /couldn't find remote ref|not our ref|Authentication failed|terminal prompts disabled|not found|Permission denied|does not appear to be a git repository/i;

function failed(source: GitSource, result: ProcessResult, timeoutMs: number) {
  const lines = result.lastLines.slice(-10).map(redactUrl);
  return fail('BUILDPACK_FETCH_FAILED', {
    what: `git could not fetch buildpack ${source.id}`,
    why: result.timedOut ? `it did not end within ${durationText(timeoutMs)}` : linesText('git says:', lines),
    fix: fixFor(lines.join('\n'), source),
    details: { buildpack: source.id, status: result.code ?? null },
  });
}

function fixFor(said: string, source: GitSource): string {
  if (/couldn't find remote ref|not our ref/i.test(said))
    return `name a branch, a tag or a commit that exists: git ls-remote ${redactUrl(source.url)}`;
  if (/terminal prompts disabled|Authentication failed|Permission denied/i.test(said)) {
    return 'pack-build asks for no password: clone the buildpack yourself and name its directory';
  }
  return `check that this works: git ls-remote ${redactUrl(source.url)}`;
}

function noSuchRef(source: GitSource, ref: string) {
  return fail('BUILDPACK_FETCH_FAILED', {
    what: `buildpack ${source.id} has no commit ${ref}`,
    why: 'it is in none of the branches and tags, or stands for several commits',
    fix: `name a branch, a tag or a whole commit id: git ls-remote ${redactUrl(source.url)}`,
    details: { buildpack: source.id },
  });
}

import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, type PackBuildError, systemCode } from '../values/error.js';
import { ownIdentity, type ProcessIdentity, stateOf } from './identity.js';

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. A minute if absent; 0 does not wait. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 100;
/** A holder that did not show life for so long is taken for dead: one of another machine, or one killed before it signed. */
const STALE_MS = 10_000;

/**
 * Runs `work` while holding the lock of `path` (`path` itself need not exist; `PATH.lock` and `PATH.holder` are put beside
 * it), at most one holder at a time among processes and within this one. The lock of a dead process is broken at once.
 * Throws `CACHE_LOCKED` when another holds it for longer than `waitMs`, and `INTERRUPTED`.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await acquire(path, options);
  try {
    await writeFile(holderFile(path), JSON.stringify({ ...(await ownIdentity()), host: hostname() } satisfies Holder));
    return await work();
  } finally {
    // One that stays names a process that is dead soon.
    await rm(holderFile(path), { force: true }).catch(() => undefined);
    await release().catch(() => undefined);
  }
}

interface Holder extends ProcessIdentity {
  readonly host: string;
}

type Release = () => Promise<void>;

async function acquire(path: string, { waitMs = 60_000, signal }: LockOptions): Promise<Release> {
  for (let waited = 0; ; waited += POLL_MS) {
    if (signal?.aborted) throw fail('INTERRUPTED', { what: `interrupted while waiting for the lock of ${path}` });
    const release = await tryLock(path, STALE_MS);
    if (release !== undefined) return release;
    if (await breakDeadLock(path)) continue;
    if (waited >= waitMs) throw locked(path, waitMs, await readHolder(path));
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function tryLock(path: string, stale: number): Promise<Release | undefined> {
  const { default: lockfile } = await import('proper-lockfile');
  try {
    // A lock lost to a suspended machine costs an update at worst: all that happens under it goes by rename.
    return await lockfile.lock(path, { realpath: false, stale, retries: 0, onCompromised: () => undefined });
  } catch (error) {
    if (systemCode(error) === 'ELOCKED') return undefined;
    throw error;
  }
}

/**
 * Takes the lock away from a process that is known to be dead. Breakers go one at a time, and the holder's file goes before
 * the lock: the next breaker then cannot mistake the lock of a newcomer, who has not signed yet, for that of the dead one.
 */
async function breakDeadLock(path: string): Promise<boolean> {
  const suspect = await readHolder(path);
  if (suspect === undefined || (await stateOf(suspect)) !== 'dead') return false;
  const release = await tryLock(`${path}.breaker`, 2000);
  if (release === undefined) return false;
  try {
    const holder = await readHolder(path);
    if (holder === undefined || (await stateOf(holder)) !== 'dead') return false;
    await rm(holderFile(path), { force: true });
    await rmdir(`${path}.lock`).catch(() => undefined);
    return true;
  } finally {
    await release().catch(() => undefined);
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(holderFile(path), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function holderFile(path: string): string {
  return `${path}.holder`;
}

function locked(path: string, waitMs: number, holder: Holder | undefined): PackBuildError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return fail('CACHE_LOCKED', {
    what: `${path} is in use by ${who}`,
    why: waitMs === 0 ? undefined : `waited ${waitMs / 1000} s for it`,
    fix: 'wait until the other build has ended, or give this one its own directory with --cache-dir',
    details: { path, pid: holder?.pid ?? null, host: holder?.host ?? null },
  });
}

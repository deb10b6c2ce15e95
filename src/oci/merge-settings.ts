import type { RunConfig } from './documents.js';
import { envRecord } from './env.js';

/** Settings for an app that moves from one base to another, and the names of those that both sides changed. */
export interface MergedSettings {
  readonly run: RunConfig;
  /** `Env PATH`, `User`: what the app has stays, what the new base has is not taken. Sorted. */
  readonly conflicts: readonly string[];
}

/**
 * Merges settings three ways: what the app has as the old base had it becomes what the new base has; what the app has
 * changed stays. Variables, labels, volumes and ports are merged one by one, everything else as a whole.
 */
export function mergeSettings(old: RunConfig, app: RunConfig, next: RunConfig): MergedSettings {
  const conflicts: string[] = [];
  const run: Record<string, unknown> = {};
  for (const name of namesOf(old, app, next)) {
    const kind = KINDS[name];
    const values = [old[name], app[name], next[name]] as const;
    const value = kind === undefined ? merge(...values, name, conflicts) : mergeEach(kind, name, values, conflicts);
    if (value !== undefined) run[name] = value;
  }
  return { run: run as RunConfig, conflicts: conflicts.sort() };
}

type Entries = Readonly<Record<string, unknown>>;

interface Kind {
  readonly read: (value: unknown) => Entries;
  readonly write: (entries: Entries) => unknown;
}

const MAP: Kind = { read: (value) => (value ?? {}) as Entries, write: (entries) => entries };
const ENV: Kind = {
  read: (value) => envRecord((value ?? []) as readonly string[]),
  write: (entries) => Object.entries(entries).map(([name, value]) => `${name}=${value}`),
};
const KINDS: Readonly<Record<string, Kind | undefined>> = { Env: ENV, Labels: MAP, Volumes: MAP, ExposedPorts: MAP };

function mergeEach(
  { read, write }: Kind,
  field: string,
  values: readonly [unknown, unknown, unknown],
  conflicts: string[],
): unknown {
  const [old, app, next] = values.map(read) as [Entries, Entries, Entries];
  const merged: Record<string, unknown> = {};
  for (const name of namesOf(next, app, old)) {
    const value = merge(old[name], app[name], next[name], `${field} ${name}`, conflicts);
    if (value !== undefined) merged[name] = value;
  }
  const isAbsent = Object.keys(merged).length === 0 && values[1] === undefined && values[2] === undefined;
  return isAbsent ? undefined : write(merged);
}

function merge(old: unknown, app: unknown, next: unknown, name: string, conflicts: string[]): unknown {
  if (isSame(app, old)) return next;
  if (isSame(next, old) || isSame(next, app)) return app;
  const extended = extendedFrom(old, app, next);
  if (extended !== undefined) return extended;
  conflicts.push(name);
  return app;
}

/** A search path to whose front or back the app has added something: that is added to the new base's. */
function extendedFrom(old: unknown, app: unknown, next: unknown): string | undefined {
  if (typeof old !== 'string' || typeof app !== 'string' || typeof next !== 'string' || old === '') return undefined;
  if (app.endsWith(`:${old}`)) return app.slice(0, -old.length) + next;
  return app.startsWith(`${old}:`) ? next + app.slice(old.length) : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** In the order in which they come. */
function namesOf(...of: readonly object[]): readonly string[] {
  return [...new Set(of.flatMap((value) => Object.keys(value)))];
}

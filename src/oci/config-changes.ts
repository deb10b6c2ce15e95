import { CNB_METADATA } from './cnb-labels.js';
import type { ImageConfig } from './documents.js';
import { envRecord } from './env.js';
import type { Image } from './image.js';
import { RECORD_LABEL } from './record.js';

/** A setting of the image that changes, or would have if the app did not keep it. */
export interface Change {
  /** `Env PATH`, `Labels team`, `User`, `os.version`. */
  readonly field: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /**
   * `base`: the new base has it so. `merged`: the new base has changed it, and what the app adds to it stays. `overlay`: the
   * app's own stays over the new base's. `conflict`: the app and the new base have both changed it, and the app's stays.
   */
  readonly why: 'base' | 'merged' | 'overlay' | 'conflict';
  /** What the new base has. */
  readonly base: string | undefined;
}

/** Names of settings that stay as the app has them, although the new base has them otherwise. */
export interface Kept {
  readonly conflicts: readonly string[];
  readonly overlaid: readonly string[];
}

/** What differs between the settings of an image before and after, and why; sorted by name. */
export function configChanges(before: Image, after: Image, base: Image, kept: Kept): readonly Change[] {
  const [mine, next, its] = [before, after, base].map(({ config }) => fieldsOf(config.value)) as [
    Fields,
    Fields,
    Fields,
  ];
  const names = [...new Set([...mine.keys(), ...next.keys(), ...kept.conflicts])].sort((a, b) => (a < b ? -1 : 1));
  return names.flatMap((field): Change[] => {
    const change = { field, before: mine.get(field), after: next.get(field), base: its.get(field) };
    if (kept.conflicts.includes(field)) return [{ ...change, why: 'conflict' }];
    if (change.before !== change.after) return [{ ...change, why: change.after === change.base ? 'base' : 'merged' }];
    return kept.overlaid.includes(field) ? [{ ...change, why: 'overlay' }] : [];
  });
}

type Fields = ReadonlyMap<string, string>;

/** Told elsewhere, or of no account: layers have a list of their own, and the time is the app's. */
const APART: ReadonlySet<string> = new Set(['config', 'rootfs', 'history', 'created', 'Env', 'Labels']);

/** Lists of what is only there or not. */
const SETS = ['Volumes', 'ExposedPorts'];

/** All settings by name: of variables and labels each one, our own notes apart. */
function fieldsOf(config: ImageConfig): Fields {
  const run = config.config ?? {};
  const labels = Object.entries(run.Labels ?? {}).filter(([name]) => name !== RECORD_LABEL && name !== CNB_METADATA);
  const sets = SETS.flatMap((name) => Object.keys(run[name] ?? {}).map((key) => [`${name} ${key}`, 'yes'] as const));
  const isWhole = ([name]: readonly [string, unknown]) => !APART.has(name) && !SETS.includes(name);
  const whole = [...Object.entries(config), ...Object.entries(run)].filter(isWhole);
  return new Map([
    ...Object.entries(envRecord(run.Env ?? [])).map(([name, value]) => [`Env ${name}`, value] as const),
    ...labels.map(([name, value]) => [`Labels ${name}`, value] as const),
    ...sets,
    ...whole.map(([name, value]) => [name, textOf(value)] as const),
  ]);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

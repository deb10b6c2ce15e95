import { isAbsolute, join, normalize } from 'node:path';
import { parse } from 'smol-toml';
import { COMPRESSION_FORM, type Compression, isCompression } from '../values/compression.js';
import { fail, type Json } from '../values/error.js';
import {
  asArray,
  asObject,
  asSize,
  asString,
  asStringMap,
  defined,
  type Located,
  member,
  optional,
} from '../values/json.js';
import { parseSize, SIZE_FORM } from '../values/size.js';

export const PROJECT_FILE = 'pack-build.toml';

/**
 * What an app may settle for its own builds. It is part of the app, so nothing in it can loosen what the caller decides:
 * the sandbox is not among its keys, the network can only be taken away, and results stay within the app's directory.
 */
export interface ProjectSettings {
  readonly base?: string;
  readonly buildBase?: string;
  readonly buildpacks?: readonly string[];
  readonly to?: readonly string[];
  readonly stack?: string;
  readonly compression?: Compression;
  readonly network?: 'none';
  readonly buildDir?: '/tmp/build_app' | '/app';
  readonly buildUser?: 'app' | 'root';
  readonly strict?: boolean;
  readonly redact?: boolean;
  /** In bytes. */
  readonly maxSource?: number;
  readonly maxApp?: number;
  readonly maxLog?: number;
  readonly compileTimeoutMs?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly buildEnv?: Readonly<Record<string, string>>;
}

const KEYS = [
  'base',
  'build-base',
  'buildpacks',
  'to',
  'stack',
  'compression',
  'network',
  'build-dir',
  'build-user',
  'strict',
  'redact',
  'max-source',
  'max-app',
  'max-log',
  'compile-timeout',
  'labels',
  'env',
  'build-env',
];

/** Reads the text of a `pack-build.toml`. Relative places are taken from `directory`. Throws `CONFIG_INVALID`. */
export function parseProjectFile(bytes: Uint8Array, directory: string): ProjectSettings {
  const root: Located = { value: parseToml(bytes), at: PROJECT_FILE, code: 'CONFIG_INVALID' };
  refuseUnknown(root);
  const at = (key: string) => member(root, key);
  return defined({
    base: optional(at('base'), (value) => placeFrom(directory, asString(value))),
    buildBase: optional(at('build-base'), (value) => placeFrom(directory, asString(value))),
    buildpacks: optional(at('buildpacks'), (list) =>
      asArray(list).map((item) => buildpackFrom(directory, asString(item))),
    ),
    to: optional(at('to'), (list) => asArray(list).map((item) => placeWithin(directory, item))),
    stack: optional(at('stack'), asString),
    compression: optional(at('compression'), asCompression),
    network: optional(at('network'), (value) => oneOf(value, ['none'] as const)),
    buildDir: optional(at('build-dir'), (value) => oneOf(value, ['/tmp/build_app', '/app'] as const)),
    buildUser: optional(at('build-user'), (value) => oneOf(value, ['app', 'root'] as const)),
    strict: optional(at('strict'), asFlag),
    redact: optional(at('redact'), asFlag),
    maxSource: optional(at('max-source'), asBytes),
    maxApp: optional(at('max-app'), asBytes),
    maxLog: optional(at('max-log'), asBytes),
    compileTimeoutMs: optional(at('compile-timeout'), asSeconds),
    labels: optional(at('labels'), asStringMap),
    env: optional(at('env'), asStringMap),
    buildEnv: optional(at('build-env'), asStringMap),
  });
}

function parseToml(bytes: Uint8Array): Json {
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown as Json;
  } catch (cause) {
    throw fail('CONFIG_INVALID', {
      what: `${PROJECT_FILE} is not TOML`,
      why: cause instanceof Error ? cause.message.trim() : undefined,
      cause,
    });
  }
}

function refuseUnknown(root: Located): void {
  const unknown = Object.keys(asObject(root)).filter((key) => !KEYS.includes(key));
  if (unknown.length === 0) return;
  throw fail('CONFIG_INVALID', {
    what: `${PROJECT_FILE} has a key that is not known: ${unknown.join(', ')}`,
    why: `known keys: ${KEYS.join(', ')}`,
    fix: unknown.includes('sandbox') ? 'an app cannot choose its own sandbox: use --sandbox' : 'correct or remove it',
  });
}

/** `oci:../base:run` means beside the app, wherever the command is run. */
function placeFrom(directory: string, text: string): string {
  const [, scheme, rest] = /^(oci|oci-archive|docker-archive):(.*)$/s.exec(text) ?? [];
  return scheme === undefined || rest === undefined || isAbsolute(rest) ? text : `${scheme}:${join(directory, rest)}`;
}

function buildpackFrom(directory: string, text: string): string {
  return /^\.{1,2}(\/|$)/.test(text) ? join(directory, text) : text;
}

function placeWithin(directory: string, located: Located): string {
  const text = asString(located);
  const [, scheme, rest = ''] = /^(oci|oci-archive|docker-archive):(.*)$/s.exec(text) ?? [];
  const path = normalize(rest);
  if (scheme !== undefined && !isAbsolute(path) && path !== '..' && !path.startsWith('../'))
    return `${scheme}:${join(directory, rest)}`;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be a place within the app's directory`,
    why: `found ${JSON.stringify(text)}`,
    fix: 'write it as oci:.pack-build/image:latest, or name another place with --to',
  });
}

function oneOf<T extends string>(located: Located, values: readonly T[]): T {
  const value = asString(located);
  if ((values as readonly string[]).includes(value)) return value as T;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be ${values.join(' or ')}`,
    why: `found ${JSON.stringify(value)}`,
  });
}

function asCompression(located: Located): Compression {
  const value = asString(located);
  if (isCompression(value)) return value;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be ${COMPRESSION_FORM}`,
    why: `found ${JSON.stringify(value)}`,
  });
}

function asFlag(located: Located): boolean {
  if (typeof located.value === 'boolean') return located.value;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be true or false`,
    why: `found ${JSON.stringify(located.value)}`,
  });
}

function asBytes(located: Located): number {
  const bytes = parseSize(asString(located));
  if (bytes !== undefined) return bytes;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be a size`,
    why: `found ${JSON.stringify(located.value)}`,
    fix: `write it as ${SIZE_FORM}`,
  });
}

/** In milliseconds. */
function asSeconds(located: Located): number {
  const seconds = asSize(located);
  if (seconds > 0 && seconds < 1_000_000) return seconds * 1000;
  throw fail('CONFIG_INVALID', {
    what: `${located.at} must be a number of seconds between 1 and 999999`,
    why: `found ${seconds}`,
  });
}

import { fail } from '../values/error.js';
import {
  asObject,
  asString,
  asStringMap,
  asStrings,
  defined,
  type Located,
  member,
  optional,
  withoutNulls,
} from '../values/json.js';

/** The `config` member of an image configuration. Unknown members are kept. */
export interface RunConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly [unknown: string]: unknown;
}

/** Reads the `config` member of an image configuration. Throws `IMAGE_INVALID`, also for what no process could be started with. */
export function parseRunConfig(located: Located): RunConfig {
  const known = defined({
    User: optional(member(located, 'User'), asString),
    Env: optional(member(located, 'Env'), asStrings),
    Entrypoint: optional(member(located, 'Entrypoint'), asStrings),
    Cmd: optional(member(located, 'Cmd'), asStrings),
    WorkingDir: optional(member(located, 'WorkingDir'), asString),
    StopSignal: optional(member(located, 'StopSignal'), asString),
    Labels: optional(member(located, 'Labels'), asStringMap),
  });
  for (const [name, value] of Object.entries(known)) refuseNul(`${located.at}.${name}`, value);
  optional(member(located, 'ExposedPorts'), (ports) => requireNames(ports, isPort, 'a port, such as 8080/tcp'));
  optional(member(located, 'Volumes'), (paths) => requireNames(paths, isInImage, 'paths without `..`'));
  return { ...withoutNulls(asObject(located)), ...known };
}

/** Where a program takes it for the end of a text, it sees another one than we do. */
function refuseNul(at: string, value: string | readonly string[] | Readonly<Record<string, string>>): void {
  const texts = typeof value === 'string' ? [value] : Object.entries(value).flat();
  if (!texts.some((text) => text.includes('\0'))) return;
  throw fail('IMAGE_INVALID', { what: `${at} has a NUL`, why: 'no setting of a process can hold one' });
}

function requireNames(located: Located, isRight: (name: string) => boolean, wanted: string): void {
  const wrong = Object.keys(asObject(located)).find((name) => !isRight(name));
  if (wrong === undefined) return;
  throw fail('IMAGE_INVALID', {
    what: `${located.at} must name ${wanted}`,
    why: `found ${JSON.stringify(wrong).slice(0, 80)}`,
  });
}

/** `PORT`, `FROM-TO`, each with `/tcp`, `/udp` or `/sctp` behind it or nothing (image-spec, config.md, `ExposedPorts`). */
function isPort(name: string): boolean {
  const [, ...ports] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?$/.exec(name) ?? [];
  return ports.length > 0 && ports.every((port) => port === undefined || (Number(port) > 0 && Number(port) <= 65_535));
}

function isInImage(path: string): boolean {
  return !path.split('/').includes('..') && !path.includes('\0');
}

import { type Notice, quoted } from './notice.js';
import { nameNotice, strictName } from './process-name.js';

/** The defaults that count: those of the last buildpack that has a bin/release (R80). */
export interface Defaults {
  /** The name of the buildpack, for people. */
  readonly buildpack: string;
  readonly processes: ReadonlyMap<string, string>;
}

export interface ProcessTable {
  /** Process type to shell command. */
  readonly processes: ReadonlyMap<string, string>;
  /** The type that runs when the image is started without an argument (R86). */
  readonly defaultType: string | undefined;
  /** What to tell people about where the types come from. */
  readonly lines: readonly string[];
  readonly notices: readonly Notice[];
}

/** Lays the Procfile's types over a buildpack's defaults, type by type (R81), and picks the default type (R86). */
export function makeProcessTable(
  defaults: Defaults | undefined,
  procfile: ReadonlyMap<string, string> | undefined,
): ProcessTable {
  const processes = new Map([...(defaults?.processes ?? []), ...(procfile ?? [])]);
  return {
    processes,
    defaultType: chooseDefault([...processes.keys()]),
    lines: linesAbout(defaults, procfile),
    notices: noticesAbout(processes, defaults, procfile),
  };
}

/** `web`, or the only type there is; `release` is run by the platform and never a default. */
function chooseDefault(types: readonly string[]): string | undefined {
  if (types.includes('web')) return 'web';
  return types.length === 1 && types[0] !== 'release' ? types[0] : undefined;
}

function linesAbout(
  defaults: Defaults | undefined,
  procfile: ReadonlyMap<string, string> | undefined,
): readonly string[] {
  const lines = [`Procfile declares types -> ${list(procfile)}`];
  if (defaults && defaults.processes.size > 0) {
    lines.push(`Default types for ${defaults.buildpack} -> ${list(defaults.processes)}`);
  }
  return lines;
}

function list(processes: ReadonlyMap<string, string> | undefined): string {
  return processes === undefined || processes.size === 0 ? '(none)' : [...processes.keys()].sort().join(', ');
}

function noticesAbout(
  processes: ReadonlyMap<string, string>,
  defaults: Defaults | undefined,
  procfile: ReadonlyMap<string, string> | undefined,
): readonly Notice[] {
  if (processes.size === 0) {
    return [{ code: 'NO_PROCESSES', message: 'no process types: the image needs a command to start (add a Procfile)' }];
  }
  const added = [...(defaults?.processes.keys() ?? [])].filter((type) => !procfile?.has(type));
  return added.flatMap((type) => {
    const twin = [...(procfile?.keys() ?? [])].find((written) => strictName(written) === strictName(type));
    if (twin !== undefined) return [nearTwin(twin, type, defaults?.buildpack ?? '')];
    return [nameNotice(type)].filter((notice) => notice !== undefined);
  });
}

function nearTwin(written: string, type: string, buildpack: string): Notice {
  return {
    code: 'PROCESS_NAME',
    message: `the Procfile's ${quoted(written)} and ${buildpack}'s default ${quoted(type)} are two process types; names are case-sensitive`,
  };
}

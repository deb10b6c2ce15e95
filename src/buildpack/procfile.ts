import { isUtf8 } from 'node:buffer';
import { fail } from '../values/error.js';
import { type Notice, quoted } from './notice.js';
import { isProcessName, nameNotice, strictName } from './process-name.js';

export interface Procfile {
  /** Process type to shell command, in the order in which the types were first written. */
  readonly processes: ReadonlyMap<string, string>;
  readonly notices: readonly Notice[];
}

/**
 * Reads a Procfile (R83 to R85). It is not YAML: what follows the first colon is shell text.
 *
 * A malformed line is a notice, with `strict` an error. A name without a command, a command without a name and two names
 * that differ only in case or in `_` and `-` are errors. Linear in the input. Throws `PROCFILE_MALFORMED`.
 */
export function parseProcfile(bytes: Uint8Array, options: { readonly strict?: boolean } = {}): Procfile {
  const processes = new Map<string, string>();
  const notices: Notice[] = [];
  let malformed = 0;
  for (const [index, raw] of decode(bytes).split('\n').entries()) {
    const entry = parseLine(raw, index + 1);
    if (entry === 'skip') continue;
    if (entry === 'malformed') {
      if (options.strict) throw malformedLine(raw, index + 1);
      malformed += 1;
      if (malformed <= MAX_NOTICES) notices.push(ignoredLine(raw, index + 1));
      continue;
    }
    if (processes.has(entry.type)) notices.push(duplicate(entry.type, index + 1));
    processes.set(entry.type, entry.command);
  }
  refuseCollisions([...processes.keys()]);
  for (const type of processes.keys()) notices.push(...[nameNotice(type)].filter((notice) => notice !== undefined));
  return { processes, notices: capped(notices) };
}

const MAX_NOTICES = 20;

function decode(bytes: Uint8Array): string {
  try {
    // The decoder drops a byte order mark by itself.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const utf16 = ['fffe', 'feff'].includes(Buffer.from(bytes.subarray(0, 2)).toString('hex'));
    const line = firstOddLine(bytes);
    throw fail('PROCFILE_MALFORMED', {
      what: 'the Procfile is not UTF-8 text',
      why: utf16 ? 'it begins like a UTF-16 file' : `line ${line} has bytes that are not UTF-8`,
      fix: 'save the Procfile as UTF-8',
      details: { line: utf16 ? 1 : line },
      cause,
    });
  }
}

/** The number of the line with the first bytes that are not UTF-8: no character has a line feed within. */
function firstOddLine(bytes: Uint8Array): number {
  const text = Buffer.from(bytes);
  let number = 1;
  for (let start = 0; start < text.length; number += 1) {
    const end = text.indexOf(0x0a, start);
    const next = end === -1 ? text.length : end + 1;
    if (!isUtf8(text.subarray(start, next))) return number;
    start = next;
  }
  return number;
}

function parseLine(raw: string, number: number): 'skip' | 'malformed' | { type: string; command: string } {
  const line = raw.trim();
  if (line === '' || line.startsWith('#')) return 'skip';
  if (line.includes('\0')) throw unusable(raw, number, 'it contains a NUL byte', 'remove the byte');
  const colon = line.indexOf(':');
  if (colon === -1) return 'malformed';
  const type = line.slice(0, colon);
  if (type === '')
    throw unusable(raw, number, 'there is no process type before the colon', 'write it as `web: command`');
  if (!isProcessName(type)) return 'malformed';
  const command = line.slice(colon + 1).trim();
  if (command === '') {
    throw unusable(
      raw,
      number,
      'there is no command after the colon',
      `write the command after \`${type}:\`, or remove the line`,
    );
  }
  return { type, command };
}

function unusable(raw: string, number: number, why: string, fix: string) {
  return fail('PROCFILE_MALFORMED', {
    what: `line ${number} of the Procfile declares no process`,
    why: `line ${number}: ${quoted(raw.trim())}: ${why}`,
    fix,
    details: { line: number },
  });
}

function malformedLine(raw: string, number: number) {
  return fail('PROCFILE_MALFORMED', {
    what: `line ${number} of the Procfile is not \`type: command\``,
    why: `line ${number}: ${quoted(raw.trim())}`,
    fix: 'write `type: command` with letters, digits, `-` and `_` before the colon, or begin the line with `#`',
    details: { line: number },
  });
}

function ignoredLine(raw: string, number: number): Notice {
  return {
    code: 'PROCFILE_LINE_IGNORED',
    message: `line ${number} of the Procfile is not \`type: command\` and is ignored: ${quoted(raw.trim())}`,
  };
}

function duplicate(type: string, number: number): Notice {
  return {
    code: 'PROCFILE_DUPLICATE',
    message: `the Procfile declares ${quoted(type)} more than once; line ${number} wins over the earlier one`,
  };
}

function refuseCollisions(types: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const type of types) {
    const other = seen.get(strictName(type));
    if (other !== undefined) {
      throw fail('PROCFILE_MALFORMED', {
        what: `the Procfile declares both ${quoted(other)} and ${quoted(type)}`,
        why: `platforms that respell process types see one type, ${quoted(strictName(type))}`,
        fix: 'rename one of them',
      });
    }
    seen.set(strictName(type), type);
  }
}

function capped(notices: readonly Notice[]): readonly Notice[] {
  if (notices.length <= MAX_NOTICES) return notices;
  const rest = notices.length - MAX_NOTICES;
  return [
    ...notices.slice(0, MAX_NOTICES),
    { code: 'PROCFILE_MORE', message: `${rest} more notices about the Procfile are left out` },
  ];
}

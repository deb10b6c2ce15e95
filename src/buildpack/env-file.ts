import { fail } from '../values/error.js';
import { type Notice, quoted } from './notice.js';

export interface EnvFile {
  readonly vars: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
}

/**
 * Reads an `--env-file` in the format of `docker run --env-file`: `NAME=VALUE` lines, blank lines and lines that begin with
 * `#` skipped, the value verbatim to the end of the line. Quotes are part of the value and nothing is expanded. Unlike
 * there, a name alone is refused: values are never taken from the caller's environment unseen. The last line of a name
 * wins. Throws `ENV_INVALID`, naming `file` and the line but never a value.
 */
export function parseEnvFile(bytes: Uint8Array, file: string): EnvFile {
  const vars = new Map<string, string>();
  const notices: Notice[] = [];
  for (const [index, raw] of decode(bytes, file).split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    if (equals <= 0) throw invalidLine(file, index + 1);
    const name = line.slice(0, equals);
    if (/\s/.test(name)) throw invalidLine(file, index + 1);
    const value = line.slice(equals + 1);
    if (isQuoted(value)) notices.push(quotesKept(file, index + 1, name));
    vars.set(name, value);
  }
  return { vars: Object.fromEntries(vars), notices };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fail('ENV_INVALID', { what: `${file} is not UTF-8 text`, fix: 'save it as UTF-8', cause });
  }
}

function isQuoted(value: string): boolean {
  return value.length > 1 && (value[0] === '"' || value[0] === "'") && value.at(-1) === value[0];
}

function quotesKept(file: string, line: number, name: string): Notice {
  return {
    code: 'ENV_FILE_QUOTES',
    message: `${file} line ${line}: the quotes around ${quoted(name)} are part of its value`,
  };
}

function invalidLine(file: string, line: number) {
  return fail('ENV_INVALID', {
    what: `line ${line} of ${file} is not NAME=VALUE`,
    why: 'every line that is not blank and does not begin with `#` sets one variable; the name has no spaces',
    fix: `write line ${line} as NAME=VALUE, without \`export\``,
    details: { file, line },
  });
}

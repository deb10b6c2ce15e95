import { fail } from '../values/error.js';
import { type Notice, quoted } from './notice.js';

/** Config vars by name. They reach buildpacks as files in ENV_DIR and never the image. */
export type ConfigVars = Readonly<Record<string, string>>;

/** What Heroku allows for names and values together, in bytes. */
const HEROKU_LIMIT = 32 * 1024;

/**
 * Checks names before they become file names (R39). All config vars are written, also `PATH` and `LD_PRELOAD`: which to
 * take over is a buildpack's decision (R40). Returns notices; throws `ENV_INVALID`.
 */
export function checkConfigVars(vars: ConfigVars): readonly Notice[] {
  const notices: Notice[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(vars)) {
    const problem = problemOf(name, value);
    if (problem !== undefined) {
      throw fail('ENV_INVALID', {
        what: `${quoted(name)} cannot be a config var`,
        why: problem,
        fix: 'rename it: letters, digits and `_`, not beginning with a digit',
      });
    }
    if (isOdd(name)) {
      notices.push({
        code: 'CONFIG_VAR_NAME',
        message: `config var ${quoted(name)} has a name that platforms reserve or that a shell cannot read`,
      });
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > HEROKU_LIMIT) {
    notices.push({
      code: 'CONFIG_VARS_LARGE',
      message: `the config vars are ${bytes} bytes together; Heroku allows ${HEROKU_LIMIT}`,
    });
  }
  return notices;
}

function problemOf(name: string, value: string): string | undefined {
  if (name === '') return 'the name is empty';
  if (name === '.' || name === '..') return 'the name is a directory';
  if (name.includes('/')) return 'the name contains a slash';
  if (name.includes('=')) return 'the name contains `=`';
  if (name.includes('\0')) return 'the name contains a NUL byte';
  if (Buffer.byteLength(name) > 255) return 'the name is longer than 255 bytes';
  return value.includes('\0') ? 'the value contains a NUL byte' : undefined;
}

function isOdd(name: string): boolean {
  return !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('__') || name.startsWith('HEROKU_');
}

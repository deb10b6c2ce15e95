import { execFile } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { MAIN, useCli } from '../support/command-line.js';

const cli = useCli();

/** Runs a command on a terminal of its own and returns what that shows. */
async function onTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = [process.execPath, '--', MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const all = {
    PATH: process.env['PATH'] ?? '',
    HOME: cli.home(),
    PACK_BUILD_CACHE_DIR: cli.cacheDir(),
    TERM: 'xterm',
    ...env,
  };
  const shown = await new Promise<string>((resolve) => {
    // It ends with the status of the command, which is not 0 here.
    execFile('script', ['-qec', command, '/dev/null'], { env: all }, (_error, stdout) => resolve(stdout));
  });
  return shown.replaceAll('\r\n', '\n');
}

const ERROR = `SOURCE_NOT_FOUND: there is no app in /nowhere
  why:  it does not exist
  fix:  name the app's directory: pack-build build DIR
`;
const COLOURED = ERROR.replace('SOURCE_NOT_FOUND', '\u001b[1mSOURCE_NOT_FOUND\u001b[22m');

describe('colour', () => {
  it('is for terminals', async () => {
    expect(await onTerminal(['build', '/nowhere'])).toBe(`\u001b[31merror\u001b[39m ${COLOURED}`);
    expect((await cli.run(['build', '/nowhere'])).stderr).toBe(`error ${ERROR}`);
  });

  it('is off with NO_COLOR and on a terminal that has none', async () => {
    expect(await onTerminal(['build', '/nowhere'], { NO_COLOR: '1' })).toBe(`error ${ERROR}`);
    expect(await onTerminal(['build', '/nowhere'], { TERM: 'dumb' })).toBe(`error ${ERROR}`);
  });

  it('marks warnings', async () => {
    const app = await cli.directory({ Procfile: 'web: true\nnot a process\n' });
    expect(await onTerminal(['build', app, '--base', cli.base()])).toContain('\u001b[33mwarning\u001b[39m: ');
  });
});

describe('pack-build run on a terminal', () => {
  it('gives the terminal to the process', async () => {
    const app = await cli.directory({ Procfile: 'web: test -t 0 && test -t 1 && echo a terminal\n' });
    const place = `oci:${app}-image:v1`;
    await cli.run(['build', app, '--base', cli.base(), '--to', place]);
    expect(await onTerminal(['run', place])).toBe('a terminal\n');
  });
});

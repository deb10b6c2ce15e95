import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack } from '../support/product.js';

const cli = useCli();

const APP = { Procfile: 'web: sleep 1\n' };

/** Runs a command with its outputs led as a line of shell says (`"$@"` is the command), and prints the status of it. */
async function led(line: string, args: readonly string[]) {
  const node = ['bash', '-c', `${line}\necho "status \${PIPESTATUS[0]}"`, 'bash', process.execPath, '--'];
  const { stdout, stderr } = await cli.run(args, { node });
  return { stdout, stderr };
}

/** A build whose compile prints more, and waits longer, than anyone wants. */
async function endless(): Promise<readonly string[]> {
  const bp = await cli.directory(buildpack({ compile: 'while :; do echo begun; sleep 0.1; done' }));
  return ['build', await cli.directory(APP), '--base', cli.base(), '--buildpack', bp, '--env', 'TOKEN=hidden'];
}

describe('pack-build, whose reader goes away', () => {
  it.each([
    ['stdout and stderr', '"$@" 2>&1 | head -1 >/dev/null', []],
    ['stderr', '"$@" 2> >(head -1 >/dev/null)', []],
    ['stdout', '"$@" | head -1 >/dev/null', ['--json']],
  ])('FLT-11 ends a build in order with 141 and leaves nothing (%s)', async (_, line, flags) => {
    expect(await led(line, [...(await endless()), ...flags])).toEqual({ stdout: 'status 141\n', stderr: '' });
    expect(await cli.traces()).toMatchObject({ temporary: [], processes: [] });
  });

  it.each([
    [['inspect', 'BASE']],
    [['--help']],
    [['--version']],
    [['--help', '--help']],
    [['inspect', 'BASE', '--json']],
  ])('says nothing of it (%j)', async (args) => {
    const words = args.map((word) => word.replace('BASE', cli.base()));
    expect(await led('"$@" | true', words)).toEqual({ stdout: 'status 141\n', stderr: '' });
  });
});

describe('pack-build, whose stdout is full', () => {
  it.each([
    [['inspect', 'BASE']],
    [['--help']],
    [['--version']],
    [['--help', '--help']],
    [['inspect', 'BASE', '--json']],
  ])('FLT-4 fails (%j)', async (args) => {
    const words = args.map((word) => word.replace('BASE', cli.base()));
    expect(await led('"$@" >/dev/full', words)).toEqual({
      stdout: 'status 50\n',
      stderr: [
        'error DISK_FULL: there is no room left to write to stdout',
        '  why:  ENOSPC: no space left on device, write',
        '  fix:  send stdout to a file or a program that takes it',
        '',
      ].join('\n'),
    });
  });

  it('does its work all the same when only stderr is full', async () => {
    const { stdout } = await led('"$@" 2>/dev/full', ['build', await cli.directory(APP), '--base', cli.base()]);
    expect(cli.plain(stdout)).toMatch(/^oci:.*@sha256:DIGEST\nstatus 0\n$/);
  });
});

import { describe, expect, it } from '@jest/globals';
import { type Container, run } from './image.js';

/** The environment that a process gets from this one, without what bash always adds. */
async function environment(env: Record<string, string>, container: Container = {}): Promise<Record<string, string>> {
  const outcome = await run({ args: ['env', '-0'], env, ...container });
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const pairs = outcome.stdout.split('\0').slice(0, -1);
  const found = Object.fromEntries(pairs.map((pair) => [pair.replace(/=.*/s, ''), pair.replace(/^[^=]*=/s, '')]));
  const { _, SHLVL, PWD, MEMORY_AVAILABLE, ...rest } = found;
  expect(PWD).toBe('/app');
  return rest;
}

const added = { HOME: '/app', DYNO: 'run.1', PATH: '/usr/local/bin:/usr/bin:/bin' };

describe('launcher, handling the environment', () => {
  it('R33 adds HOME, PATH and DYNO, and leaks nothing of its own', async () => {
    expect(await environment({})).toEqual(added);
    const shell = await run({
      app: { '.profile': 'declare -p; declare -F; alias; trap' },
      args: ['declare -p; declare -F'],
    });
    expect(shell.stdout).not.toMatch(/__pb_|\bfile=|signal_all|^trap/m);
    expect(shell.stdout).not.toMatch(/^declare -f/m);
  });

  it('passes values with newlines, quotes and odd bytes, and odd names', async () => {
    const env = {
      A: 'one\ntwo\n',
      B: `'"$(echo x)\`\\`,
      EMPTY: '',
      'FOO.BAR': '1',
      'a-b': '2',
      status: 's',
      file: 'f',
    };
    expect(await environment(env)).toEqual({ ...added, ...env });
  });

  it('keeps names that only look like its own out of its way', async () => {
    const env = { __pb_child: '1', __pb_type: 'web', __pb_command: 'x', __pb_stopping: 'TERM', __pb_limit: '5' };
    expect(await environment(env)).toEqual(added);
  });

  it('does not read BASH_ENV or ENV itself, nor for profile scripts', async () => {
    const env = { BASH_ENV: '/app/env.sh', ENV: '/app/env.sh' };
    const app = { 'env.sh': 'echo read; exit 9', '.profile': 'true' };
    expect(await environment(env, { app })).toEqual({ ...added, ...env });
    const command = await run({ app: { 'env.sh': 'echo read' }, args: ['echo command'], env });
    expect(command.stdout).toBe('read\ncommand\n');
  });

  it('is not confused by shell options, IFS, GLOBIGNORE, CDPATH and POSIXLY_CORRECT', async () => {
    const outcome = await run({
      app: {
        '.profile.d/a.sh': 'false; echo $UNSET a; . /nowhere',
        '.profile.d/b.sh': 'echo b; x=(1); shopt -q extdebug',
      },
      processes: { web: 'false; echo "$UNSET" "$@"; cd usr; pwd' },
      args: ['web', 'a/b c'],
      env: {
        SHELLOPTS: 'errexit:nounset:noglob:noexec:posix:xtrace:verbose',
        BASHOPTS: 'failglob:nullglob:dotglob:extdebug',
        IFS: '/.',
        GLOBIGNORE: '*',
        CDPATH: '/',
        POSIXLY_CORRECT: '1',
        PS4: '$(echo no >&2)',
        TMOUT: '1',
        EXECIGNORE: '*bash*',
      },
    });
    expect(outcome).toMatchObject({ code: 0, stdout: 'a\nb\n a/b c\n/usr\n/usr\n' });
    expect(outcome.stderr).toBe('/app/.profile.d/a.sh: line 1: /nowhere: No such file or directory\n');
  });

  it('does not import functions, but hands them on', async () => {
    const names = ['cd', 'exec', 'source', 'kill', 'wait', 'export', 'read', 'printf', 'greet'];
    const env = Object.fromEntries(names.map((name) => [`BASH_FUNC_${name}%%`, `() { echo function ${name}; }`]));
    expect(await environment(env, { app: { '.profile': 'printf ""' } })).toEqual({ ...added, ...env });
    expect(await run({ args: ['greet'], env })).toMatchObject({ code: 0, stdout: 'function greet\n' });
  });

  it('R109 runs on a read-only root without /tmp as an unknown user', async () => {
    const outcome = await run({
      app: { '.profile': 'echo profile' },
      args: ['id -u; echo > /file'],
      bwrap: ['--unshare-user', '--uid', '12345', '--gid', '0', '--remount-ro', '/tmp'],
    });
    expect(outcome).toMatchObject({ code: 1, stdout: 'profile\n12345\n' });
    expect(outcome.stderr).toMatch(/^\/bin\/bash: line 1: \/file: Read-only file system\n$/);
  });

  it('names the missing directory when the image has no /app', async () => {
    const outcome = await run({
      args: ['true'],
      bwrap: ['--tmpfs', '/app', '--chmod', '0000', '/app', '--unshare-user', '--uid', '1000', '--cap-drop', 'ALL'],
    });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain('/app: Permission denied');
  });
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from '@jest/globals';
import { type Files, run } from './image.js';

/** What `web: COMMAND` prints in an app with these files. */
async function stdout(app: Files, command: string, env: Record<string, string> = {}): Promise<string> {
  const outcome = await run({ app, processes: { web: command }, args: ['web'], env });
  expect(outcome.code).toBe(0);
  return outcome.stdout;
}

describe('launcher, before the command', () => {
  it('R98 makes /app the current directory and HOME before profile scripts run', async () => {
    const app = { '.profile.d/a.sh': 'echo $PWD $HOME; pwd; ls .profile.d' };
    expect(await stdout(app, 'echo $PWD $HOME', { HOME: '/home/other', CDPATH: '/usr' })).toBe(
      '/app /app\n/app\na.sh\n/app /app\n',
    );
  });

  it('R98 sets PATH when the container has none or an empty one', async () => {
    expect(await stdout({}, '/usr/bin/printenv PATH')).toBe('/usr/local/bin:/usr/bin:/bin\n');
    expect(await stdout({}, '/usr/bin/printenv PATH', { PATH: '' })).toBe('/usr/local/bin:/usr/bin:/bin\n');
  });

  it('R98 keeps the PATH of the container', async () => {
    expect(await stdout({}, '/usr/bin/printenv PATH', { PATH: '/app/bin:/bin' })).toBe('/app/bin:/bin\n');
  });

  it('R99 sources .profile.d/*.sh in C order, after config vars', async () => {
    const say = (name: string) => `echo ${name} $COLOUR; COLOUR=${name}`;
    const names = ['a.sh', 'B.sh', '_c.sh', '000_apt.sh', 'b a.sh', "it's.sh"];
    const app = Object.fromEntries(names.map((name) => [`.profile.d/${name}`, say(name.charAt(0))]));
    const order = await stdout(app, 'echo end $COLOUR', { COLOUR: 'red', LC_ALL: 'en_US.UTF-8' });
    expect(order).toBe('0 red\nB 0\n_ B\na _\nb a\ni b\nend i\n');
  });

  it('R99 ignores names that do not end in .sh, hidden files and directories', async () => {
    const app = {
      '.profile.d/a.bash': 'echo no',
      '.profile.d/b.sh.orig': 'echo no',
      '.profile.d/.hidden.sh': 'echo no',
      '.profile.d/dir.sh': null,
    };
    expect(await stdout(app, 'echo end')).toBe('end\n');
  });

  it('R99 lets a profile script override a config var or keep it', async () => {
    const app = { '.profile.d/a.sh': 'export A=script B=${B:-script} C=${C:-script}' };
    expect(await stdout(app, 'echo $A $B $C', { A: 'config', B: 'config' })).toBe('script config script\n');
  });

  it('R99 sources .profile last, which can change PATH', async () => {
    const app = {
      '.profile.d/a.sh': 'export PATH=/early:$PATH',
      '.profile': 'export PATH=$HOME/tools:$PATH',
    };
    expect(await stdout(app, 'echo $PATH', { PATH: '/usr/bin' })).toBe('/app/tools:/early:/usr/bin\n');
  });

  it('R100 ends only the script that returns', async () => {
    const app = { '.profile.d/a.sh': 'echo a; return 3; echo no', '.profile.d/b.sh': 'echo b' };
    expect(await stdout(app, 'echo end')).toBe('a\nb\nend\n');
  });

  it('R100 sources scripts in one shell, outside functions and loops, without -e and -u', async () => {
    const app = {
      '.profile.d/a.sh': 'false; echo "$UNSET_VARIABLE"; declare -x SEEN=yes; mine=1; echo "${#FUNCNAME[@]} $- $#"',
      '.profile.d/b.sh': 'set -- web other words; break 2>/dev/null; echo $mine $$',
    };
    expect(await stdout(app, 'echo $SEEN $$ $#')).toMatch(/^\n0 [^eup]* 0\n1 (\d+)\nyes \1 0\n$/);
  });

  it('R101 does not start a login shell', async () => {
    const outcome = await run({
      app: { '.profile.d/a.sh': 'shopt -q login_shell && echo login; true' },
      args: ['shopt -q login_shell && echo login; echo $PATH'],
      env: { PATH: '/app/bin:/usr/bin:/bin' },
      mounts: { '/etc/profile': 'echo profile; PATH=/usr/games' },
    });
    expect(outcome).toEqual({ code: 0, stdout: '/app/bin:/usr/bin:/bin\n', stderr: '' });
  });

  it('R102 passes on what profile scripts print, and goes on after one that fails', async () => {
    const outcome = await run({
      app: {
        '.profile.d/a.sh': 'echo to stdout; echo to stderr >&2; false',
        '.profile.d/b.sh': 'no-such-command\nif then',
        '.profile.d/c.sh': 'cd /nowhere || return 9',
      },
      processes: { web: 'echo started' },
      args: ['web'],
    });
    expect(outcome).toMatchObject({ code: 0, stdout: 'to stdout\nstarted\n' });
    expect(outcome.stderr).toContain('to stderr\n');
    expect(outcome.stderr).toContain('/app/.profile.d/b.sh: line 1: no-such-command: command not found');
  });

  it('R102 stops the start when a profile script exits', async () => {
    const outcome = await run({
      app: { '.profile.d/a.sh': 'exit 6', '.profile': 'echo no' },
      processes: { web: 'echo no' },
      args: ['web'],
    });
    expect(outcome).toEqual({ code: 6, stdout: '', stderr: '' });
  });

  it('R103 ignores a directory named .profile, and starts without profile scripts', async () => {
    expect(await stdout({ '.profile': null }, 'echo end')).toBe('end\n');
    expect(await stdout({}, 'echo end')).toBe('end\n');
  });
});

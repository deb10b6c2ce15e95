import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { LAUNCHER_PATH, launcherScript, PROCESSES_DIR } from '../../../src/launcher/launcher.js';
import { type Container, run } from './image.js';

async function stdout(container: Container): Promise<string> {
  const outcome = await run(container);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return outcome.stdout;
}

const web = (command: string, ...args: string[]): Container => ({
  processes: { web: command },
  args: ['web', ...args],
});

describe('launcher, running a process', () => {
  it('R100 runs the command as shell text', async () => {
    const env = { PORT: '5000' };
    expect(await stdout({ ...web(`echo "a  b" 'c  $d' && echo $PORT`), env })).toBe('a  b c  $d\n5000\n');
    expect(await stdout(web('COLOUR=red printenv COLOUR'))).toBe('red\n');
    expect(await stdout(web('cd /usr && pwd; echo "*" | cat'))).toBe('/usr\n*\n');
    expect(await stdout(web('[[ a == a* ]] && x=(1 2) && echo $x {1..3}'))).toBe('1 1 2 3\n');
  });

  it('R100 keeps every byte of the command', async () => {
    expect(await stdout(web('echo one\n# a comment\necho "\t\\t \xe9\xff`echo two`"\n\n'))).toBe(
      'one\n\t\\t \xe9\xfftwo\n',
    );
  });

  it('R100 gives further arguments to the command', async () => {
    expect(await stdout(web('printf "[%s]" "$0" "$@"', 'a b', '', '--', "it's\n$x"))).toBe(
      "[bash][a b][][--][it's\n$x]",
    );
  });

  it('R104 sets PORT for web only, and only when it is unset or empty', async () => {
    const processes = { web: 'echo "$PORT"', worker: 'echo "$PORT"' };
    expect(await stdout({ processes, args: ['web'] })).toBe('8080\n');
    expect(await stdout({ processes, args: ['web'], env: { PORT: '' } })).toBe('8080\n');
    expect(await stdout({ processes, args: ['web'], env: { PORT: '9' } })).toBe('9\n');
    expect(await stdout({ processes, args: ['worker'] })).toBe('\n');
    expect(await stdout({ processes, args: ['worker'], env: { PORT: '9' } })).toBe('9\n');
  });

  it('R104 sets PORT before the profile', async () => {
    const app = { '.profile.d/a.sh': 'echo profile $PORT $DYNO' };
    expect(await stdout({ ...web('true'), app })).toBe('profile 8080 web.1\n');
  });

  it('R105 sets DYNO when unset', async () => {
    const processes = { worker: 'echo "$DYNO"' };
    expect(await stdout({ processes, args: ['worker'] })).toBe('worker.1\n');
    expect(await stdout({ processes, args: ['echo "$DYNO"'] })).toBe('run.1\n');
    expect(await stdout({ processes, args: ['worker'], env: { DYNO: 'worker.7' } })).toBe('worker.7\n');
    expect(await stdout({ processes, args: ['worker'], env: { DYNO: '' } })).toBe('\n');
  });

  it('R106 runs web without arguments, else the only process', async () => {
    expect(await stdout({ processes: { web: 'echo $DYNO', worker: 'echo no' } })).toBe('web.1\n');
    expect(await stdout({ processes: { clock: 'echo $DYNO', release: 'echo no' } })).toBe('clock.1\n');
  });

  it('R86 lists the process types and exits 1 when there is no default', async () => {
    const processes = { worker: 'npm run work', clock: 'npm run clock', release: 'migrate' };
    expect(await run({ processes })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'pack-build: no process was named, and this image has no default one\n' +
        'Its process types are:\n  clock: npm run clock\n  release: migrate\n  worker: npm run work\n',
    });
    expect(await run({ processes: { release: 'migrate' } })).toMatchObject({ code: 1 });
  });

  it('R87 says that an image has no process at all', async () => {
    const outcome = await run({ app: { '.profile': 'echo no' } });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/It has no process types; give a command/);
    expect(await run({ args: ['--'] })).toMatchObject({ code: 1 });
  });
});

describe('launcher, running a one-off command', () => {
  const app = { '.profile': 'export FROM_PROFILE=yes' };

  it('R106 runs an unknown first word as a command, with the profile', async () => {
    expect(await stdout({ app, args: ['printenv', 'FROM_PROFILE'] })).toBe('yes\n');
  });

  it('R106 runs one argument as shell text', async () => {
    expect(await stdout({ app, args: ['echo "$FROM_PROFILE" && echo done'] })).toBe('yes\ndone\n');
    expect(await stdout({ app, args: ['pwd'] })).toBe('/app\n');
  });

  it('R106 runs several arguments exactly', async () => {
    const args = ['printf', '[%s]', '$FROM_PROFILE', 'a b', '', '*', "it's", 'x\ny'];
    expect(await stdout({ app, args })).toBe("[$FROM_PROFILE][a b][][*][it's][x\ny]");
  });

  it('R106 finds the command by the PATH of the profile', async () => {
    const profile = {
      '.profile': 'chmod +x tools/hello; PATH=/app/tools:$PATH',
      'tools/hello': '#!/bin/sh\necho hello $1',
    };
    expect(await stdout({ app: profile, args: ['hello', 'you'] })).toBe('hello you\n');
  });

  it('R106 takes the words after -- as a command even when a process has that name', async () => {
    const processes = { env: 'echo process' };
    expect(await stdout({ processes, args: ['env', '-i'] })).toBe('process\n');
    expect(await stdout({ processes, args: ['--', 'env', '-i', 'A=1'] })).toBe('A=1\n');
    expect(await stdout({ processes, args: ['--', 'env -i A=1 printenv A'] })).toBe('1\n');
  });

  it('R106 does not mistake a path for a process type', async () => {
    const outcome = await run({ processes: { web: 'echo no' }, args: ['../processes/web', 'x'] });
    expect(outcome).toMatchObject({ code: 127, stdout: '' });
    expect(await run({ processes: { web: 'echo no' }, args: ['.'] })).toMatchObject({ code: 2, stdout: '' });
  });

  it('R106 exits 127 for a command that is not there', async () => {
    expect(await run({ args: ['wroker'] })).toMatchObject({ code: 127, stdout: '' });
    expect(await run({ args: ['wroker', 'now'] })).toMatchObject({ code: 127, stdout: '' });
  });
});

describe('launcherScript', () => {
  it('returns the bytes of the launcher, whose paths are those the launcher uses', async () => {
    const script = Buffer.from(await launcherScript());
    const file = new URL('../../../src/launcher/launcher.sh', import.meta.url);
    expect(script.equals(await readFile(file))).toBe(true);
    expect(script.toString()).toContain(`this file is ${LAUNCHER_PATH},`);
    expect(script.toString()).toContain(`__pb_processes=${PROCESSES_DIR}\n`);
  });
});

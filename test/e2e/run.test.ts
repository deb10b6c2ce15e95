import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();
let app = '';
let place = '';

beforeAll(async () => {
  app = await cli.directory({
    'index.txt': 'hello\n',
    '.profile': 'export FROM_PROFILE=yes\n',
    Procfile: [
      'web: echo "web $PORT $FROM_PROFILE <$EXTRA> $*"; pwd; id -u; echo to stderr >&2',
      'worker: echo working; exec sleep 60',
      'stubborn: trap "" TERM; echo stubborn; sleep 60',
      'seven: exit 7',
      'polite: trap "exit 0" TERM; echo polite; while :; do sleep 0.05; done',
      'rude: trap "exit 9" TERM; echo rude; while :; do sleep 0.05; done',
      '',
    ].join('\n'),
  });
  place = `oci:${app}-image:v1`;
  const to = ['--to', place, '--to', `oci:${app}/.pack-build/image:latest`];
  const built = await cli.run(['build', app, '--base', cli.base(), ...to]);
  expect(built).toMatchObject({ status: 0 });
});

describe('pack-build run', () => {
  it('says what to do about a directory that has no image of an app', async () => {
    const cwd = await cli.directory({ 'shop/Procfile': 'web: true\n', 'images/oci-layout': '{}' });
    expect(await cli.run(['run', './shop'], { cwd })).toMatchObject({
      status: 50,
      stderr: [
        'error IMAGE_NOT_FOUND: the app ./shop has no image yet',
        '  why:  there is no directory ./shop/.pack-build/image, where a build without --to puts it',
        '  fix:  pack-build build ./shop',
        '',
      ].join('\n'),
    });
    expect(await cli.run(['run', './images'], { cwd })).toMatchObject({
      status: 2,
      stderr: [
        'error REFERENCE_INVALID: ./images is not the directory of an app',
        '  why:  it is an image layout',
        '  fix:  write oci:./images',
        '',
      ].join('\n'),
    });
  });

  it('starts the default process: its output goes where it sends it, its status is ours', async () => {
    const { status, stdout, stderr } = await cli.run(['run', '--port', '5001', place]);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'web 5001 yes <> \n/app\n1000\n',
      stderr: 'to stderr\n',
    });
  });

  it('takes its flags before and after the image and the process', async () => {
    const after = await cli.run(['run', place, 'web', '--port', '5002', '--env', 'EXTRA=more']);
    expect(after.stdout).toBe('web 5002 yes <more> \n/app\n1000\n');
    const between = await cli.run(['run', place, '--port=5003', 'web']);
    expect(between.stdout).toBe('web 5003 yes <> \n/app\n1000\n');
  });

  it('starts the process type that is named, and gives its exit status', async () => {
    const { status, stdout, stderr } = await cli.run(['run', place, 'seven']);
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '', stderr: '' });
  });

  it('runs what stands after -- as a command: as shell text, or as words, even one that is called like a process', async () => {
    const text = await cli.run(['run', place, '--', 'cat index.txt; echo $FROM_PROFILE']);
    expect(text.stdout).toBe('hello\nyes\n');
    const words = await cli.run(['run', place, '--', 'echo', '--port', 'a b', '$HOME']);
    expect(words.stdout).toBe('--port a b $HOME\n');
    const called = await cli.run(['run', place, '--', 'worker']);
    expect(called).toMatchObject({ status: 127, stderr: '/bin/bash: line 1: worker: command not found\n' });
  });

  it('gives a process type the words after it', async () => {
    expect((await cli.run(['run', place, 'web', 'one', 'two'])).stdout).toContain('<> one two\n');
  });

  it('starts what was built in a directory', async () => {
    expect((await cli.run(['run', '.', 'seven'], { cwd: app })).status).toBe(7);
    expect((await cli.run(['run', app, 'seven'])).status).toBe(7);
  });

  it('throws away what the process writes to /app', async () => {
    await cli.run(['run', place, '--', 'echo changed > index.txt']);
    expect((await cli.run(['run', place, '--', 'cat index.txt'])).stdout).toBe('hello\n');
  });

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`passes ${signal} on, waits for the process, and ends with ${status}`, async () => {
      const started = cli.start(['run', place, 'worker']);
      await started.says('working');
      started.child.kill(signal);
      expect(await started.ended).toMatchObject({ status, stdout: 'working\n' });
      expect((await cli.traces()).temporary).toEqual([]);
      expect((await cli.traces()).processes).toEqual([]);
    });
  }

  it.each([
    ['polite', 'SIGTERM', 0],
    ['polite', 'SIGINT', 0],
    ['rude', 'SIGTERM', 9],
  ] as const)('ends with the status that the process %s chooses at %s', async (type, signal, status) => {
    const started = cli.start(['run', place, type]);
    await started.says(type);
    started.child.kill(signal);
    expect(await started.ended).toMatchObject({ status, stdout: `${type}\n` });
  });

  it('ends at once at the second signal, and leaves no process', async () => {
    const started = cli.start(['run', place, 'stubborn']);
    await started.says('stubborn');
    started.child.kill('SIGTERM');
    await sleep(500);
    expect(started.child.exitCode).toBeNull();
    started.child.kill('SIGTERM');
    expect((await started.ended).status).toBe(143);
    for (let waited = 0; waited < 3000 && (await cli.traces()).processes.length > 0; waited += 100) await sleep(100);
    expect((await cli.traces()).processes).toEqual([]);
  });

  it('refuses an image of others and one that is not there', async () => {
    const base = await cli.run(['run', cli.base()]);
    expect({ ...base, stderr: cli.plain(base.stderr) }).toMatchObject({
      status: 50,
      stderr: [
        'error IMAGE_NOT_OURS: oci:BASE:run cannot be started: it was not made by pack-build',
        '  why:  it has no label dev.pack-build.app, and so nothing tells its app from its base',
        '  fix:  start it with a container engine such as podman, or name an image that pack-build has built',
        '',
      ].join('\n'),
    });
    const onAnother = await cli.run(['run', cli.base(), '--base', cli.base('next')]);
    expect(onAnother.stderr).toMatch(/^error IMAGE_NOT_OURS: /);
    const directory = join(await cli.directory(), 'never-built');
    await mkdir(directory);
    const absent = await cli.run(['run', directory]);
    expect(absent.status).toBe(50);
    expect(absent.stderr).toBe(
      `error IMAGE_NOT_FOUND: the app ${directory} has no image yet\n  why:  there is no directory ${directory}/.pack-build/image, where a build without --to puts it\n  fix:  pack-build build ${directory}\n`,
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack } from '../support/product.js';

const cli = useCli();

describe('pack-build detect', () => {
  it('prints the bundled buildpack that applies and what it calls the app, and writes nothing', async () => {
    const app = await cli.directory({ Procfile: 'web: true\n' });
    const before = [await cli.treeOf(app), (await cli.traces()).cache];
    const { status, stdout, stderr } = await cli.run(['detect', app, '--base', cli.base()]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'procfile\tProcfile\n', stderr: '' });
    expect([await cli.treeOf(app), (await cli.traces()).cache]).toEqual(before);
    expect((await cli.traces()).temporary).toEqual([]);
  });

  it('asks each buildpack that is named, in order', async () => {
    const app = await cli.directory({ 'a.txt': '' });
    const one = await cli.directory(buildpack({ detect: 'test -f "$1/a.txt" && echo One' }));
    const two = await cli.directory(buildpack({ detect: 'exit 0' }));
    const flags = ['--buildpack', one, '--buildpack', two];
    const { status, stdout } = await cli.run(['detect', '--base', cli.base(), ...flags], { cwd: app });
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${one}\tOne\n${two}\t${two}\n` });
  });

  it('says which of them refuses', async () => {
    const app = await cli.directory();
    const bp = await cli.directory(buildpack({ detect: 'echo "no a.txt here" >&2; exit 1' }));
    const { status, stdout, stderr } = await cli.run(['detect', app, '--base', cli.base(), '--buildpack', bp]);
    expect({ status, stdout }).toEqual({ status: 20, stdout: '' });
    expect(stderr).toBe(
      [
        'no a.txt here',
        `error DETECT_REFUSED: the app is not compatible with buildpack ${bp}`,
        '  why:  its bin/detect ended with exit 1:',
        '          no a.txt here',
        '  fix:  add what the buildpack looks for, or take the buildpack out of the list',
        '',
      ].join('\n'),
    );
  });
});

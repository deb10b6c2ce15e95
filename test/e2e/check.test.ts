import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { ARCHITECTURE } from '../support/tiny-base.js';

const cli = useCli();

async function policyFile(text: string, name = 'policy.json'): Promise<string> {
  const file = join(await cli.directory(), name);
  await writeFile(file, text);
  return file;
}

async function built(to = (directory: string) => `oci:${directory}.image:shop`): Promise<string> {
  const app = await cli.directory({ Procfile: 'web: sleep 1\n' });
  const place = to(app);
  const { status, stderr } = await cli.run(['build', app, '--base', cli.base(), '--to', place]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return place;
}

describe('pack-build check', () => {
  it.each(['oci', 'oci-archive', 'docker-archive'])('passes an app on the limit, at %s:', async (kind) => {
    const place = await built((directory) => `${kind}:${directory}.image`);
    for (const policy of ['heroku-like', 'restricted', await policyFile('{"maxLayers": 4}')]) {
      const { status, stdout, stderr } = await cli.run(['check', place, '--policy', policy]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(cli.plain(stdout)).toBe(
        `${cli.plain(place)} (linux/${ARCHITECTURE}, sha256:DIGEST) keeps to the policy\n`,
      );
    }
  });

  it('tells what breaks the policy, with status 90', async () => {
    const place = await built();
    const policy = await policyFile('maxLayers = 3\n[users]\nminUid = 1001\n', 'policy.toml');
    const { status, stdout, stderr } = await cli.run(['check', place, '--policy', policy]);
    expect({ status, stderr }).toEqual({ status: 90, stderr: '' });
    expect(cli.plain(stdout)).toBe(
      [
        `${cli.plain(place)} (linux/${ARCHITECTURE}, sha256:DIGEST) breaks the policy, 2 times`,
        '  RST_LAYERS: 4; allowed: 3',
        '    fix: use a base with fewer layers',
        '  RST_USER_UID: 1000:1000; allowed: 1001',
        '    fix: give the image a User such as 1000:1000',
        '',
      ].join('\n'),
    );
  });

  it('--json has each violation as data', async () => {
    const place = await built();
    const policy = await policyFile('{"writablePrefixes": ["/srv"]}');
    const { status, stdout } = await cli.run([
      'check',
      place,
      '--policy',
      policy,
      '--json',
      '--platform',
      `linux/${ARCHITECTURE}`,
    ]);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(status).toBe(90);
    expect(Object.keys(result)).toEqual(['type', 'ok', 'images', 'bases', 'fleet']);
    expect(result).toMatchObject({
      ok: false,
      images: [{ image: place, base: { layers: 1, isProved: false } }],
      fleet: [],
    });
    expect(result.images[0].violations.at(-1)).toEqual({
      code: 'RST_WRITABLE',
      layer: 3,
      path: '/app/Procfile',
      got: '/app/Procfile',
      limit: ['/srv'],
      hint: 'let the app have its files where it may',
    });
  });

  it('checks all images of an index, and others that nobody of us has made', async () => {
    const place = await built();
    const index = `oci:${await cli.directory()}:all`;
    await cli.run(['index', place, cli.base('next-other-arch'), '--to', index]);
    const policy = await policyFile(`{"platforms": ["linux/${ARCHITECTURE}"]}`);
    const { status, stdout } = await cli.run(['check', index, '--policy', policy]);
    expect(status).toBe(90);
    expect(stdout.match(/^\S+ \(.*$/gm)).toHaveLength(2);
    expect(stdout).toContain('RST_PLATFORM: linux/');
    const one = await cli.run(['check', index, '--policy', policy, '--platform', `linux/${ARCHITECTURE}`]);
    expect(one).toMatchObject({ status: 0 });
  });

  it('RST-5 tells on which bases a fleet stands, and limits them', async () => {
    const images = [await built(), cli.base('next')];
    const policy = await policyFile('{"bases": {"maxDistinct": 1}}');
    const { status, stdout } = await cli.run(['check', ...images, '--policy', policy, '--json']);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect({ status, counts: Object.values(result.bases) }).toEqual({ status: 90, counts: [1, 1] });
    expect(result.fleet).toMatchObject([{ code: 'RST_BASES', got: 2, limit: 1 }]);
    expect(await cli.run(['check', images[0] ?? '', '--policy', policy])).toMatchObject({ status: 0 });
  });

  it('believes an image nothing of its base where the policy names the allowed ones', async () => {
    const place = await built();
    const { stdout } = await cli.run(['base', 'resolve', cli.base(), '--json']);
    const { digest } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    const policy = await policyFile(JSON.stringify({ bases: { allow: [digest] } }));
    const unproved = await cli.run(['check', place, '--policy', policy]);
    expect(unproved.status).toBe(90);
    expect(unproved.stdout).toContain('the image says so and nothing proves it: name the base with --base REF');
    expect(await cli.run(['check', place, '--policy', policy, '--base', cli.base()])).toMatchObject({ status: 0 });
    expect(await cli.run(['check', place, '--policy', policy, '--base', cli.base('next')])).toMatchObject({
      status: 90,
    });
  });

  it('RST-4 refuses a policy that it cannot read', async () => {
    const place = await built();
    const policy = await policyFile('{"maxLayer": 3}');
    const { status, stdout, stderr } = await cli.run(['check', place, '--policy', policy]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(cli.plain(stderr)).toMatch(
      /^error POLICY_INVALID: HOME\S+ has a key that is not known: "maxLayer"\n.*\n {2}fix: {2}did you mean `maxLayers`\?\n$/,
    );
    const nothing = await cli.run(['check', place, '--policy', 'nowhere.json']);
    expect(nothing.status).toBe(2);
    expect(nothing.stderr).toContain('fix:  name a file, or one of heroku-like, restricted');
  });
});

describe('--policy', () => {
  it('keeps a build from writing anything', async () => {
    const app = await cli.directory({ Procfile: 'web: sleep 1\n' });
    const to = await cli.directory();
    const policy = await policyFile('{"maxLayers": 3}');
    const build = ['build', app, '--base', cli.base(), '--to', `oci:${to}/image:shop`, '--policy'];
    const { status, stdout, stderr } = await cli.run([...build, policy]);
    expect({ status, stdout }).toEqual({ status: 90, stdout: '' });
    expect(stderr).toContain(
      'error POLICY_VIOLATED: the image does not keep to the policy, so nothing was written\n  why:  RST_LAYERS: 4; allowed: 3\n  fix:  use a base with fewer layers\n',
    );
    expect(await cli.treeOf(to)).toEqual([]);
    expect(await cli.run([...build, 'heroku-like'])).toMatchObject({ status: 0 });
  });

  it('keeps a tag where it is when the image on its new base breaks the policy', async () => {
    const place = await built();
    const before = await cli.run(['inspect', place]);
    const policy = await policyFile('{"env": {"denyNames": ["*"]}}');
    for (const plan of [[], ['--plan']]) {
      const { status, stderr } = await cli.run([
        'rebase',
        place,
        '--base',
        cli.base('next'),
        '--policy',
        policy,
        ...plan,
      ]);
      expect(status).toBe(90);
      expect(stderr).toContain('error POLICY_VIOLATED');
    }
    expect(await cli.run(['inspect', place])).toMatchObject({ stdout: before.stdout });
    expect(await cli.run(['rebase', place, '--base', cli.base('next'), '--policy', 'heroku-like'])).toMatchObject({
      status: 0,
    });
  });

  it('RST-4 never comes from the app', async () => {
    const app = await cli.directory({
      Procfile: 'web: sleep 1\n',
      'policy.json': '{}',
      restricted: '{"maxLayers": 0}',
    });
    const build = ['build', app, '--base', cli.base(), '--policy'];
    const own = await cli.run([...build, join(app, 'policy.json')]);
    expect(own).toMatchObject({ status: 2, stdout: '' });
    expect(own.stderr).toContain('is a file of the app that it is for');
    expect(await cli.run([...build, 'restricted'], { cwd: app })).toMatchObject({ status: 0 });
    await writeFile(join(app, 'pack-build.toml'), 'policy = "policy.json"\n');
    expect((await cli.run(['build', app, '--base', cli.base()])).stderr).toContain('a key that is not known: policy');
  });
});

describe('pack-build inspect --files', () => {
  it('tells what each layer holds', async () => {
    const place = await built();
    const { stdout } = await cli.run(['inspect', place, '--json', '--files']);
    const { layers, size } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(layers.map(({ ofBase }: { ofBase: boolean }) => ofBase)).toEqual([true, false, false, false]);
    expect(layers.at(-1)).toMatchObject({
      tar: 2560,
      entries: [
        { path: 'app', type: 'directory', mode: 0o755, size: 0 },
        { path: 'app/Procfile', type: 'file', mode: 0o644, size: 13 },
      ],
    });
    expect(size).toBeGreaterThan(layers.reduce((sum: number, layer: { size: number }) => sum + layer.size, 0));
  });
});
